import type { Parameter } from './parameter.js'

/** The parameters of `ocf:xenlight:rephub-group`. */
export const groupParameters: readonly Parameter[] = [
  {
    ...{ name: 'group', type: 'string', isRequired: true, isUnique: true },
    short: 'The group',
    long: 'The name of the group of disks, at the agent and at the hub.',
  },
  {
    ...{ name: 'agent', type: 'string', isRequired: true },
    short: "The agent's node",
    long: 'The node, by its name in the cluster, that has the disks and on which repagent runs.',
  },
  {
    ...{ name: 'hub', type: 'string', isRequired: true },
    short: "The hub's node",
    long: 'The node, by its name in the cluster, that has the copies and on which rephub runs.',
  },
  {
    ...{ name: 'may_lose', type: 'time' },
    short: 'How much may be lost without asking',
    long: `The replication is asynchronous: where the agent's node dies, the hub may lack what was written last. It is promoted then only where
all that was written until so long before its promotion is there, and the time of fencing counts. Without it, only an operator promotes the hub then (xl-cluster force).`,
  },
  {
    ...{ name: 'agent_control', type: 'string', default: '/run/repagent/control.sock' },
    short: "The agent's control socket",
    long: "The agent's control socket, on its node.",
  },
  {
    ...{ name: 'hub_control', type: 'string', default: '/run/rephub/control.sock' },
    short: "The hub's control socket",
    long: "The hub's control socket, on its node.",
  },
  {
    ...{ name: 'agent_states', type: 'string', default: '/run/repagent/states' },
    short: 'Where the agent says how the group is',
    long: 'A folder, on its node: what --state-files of repagent says.',
  },
  {
    ...{ name: 'hub_states', type: 'string', default: '/run/rephub/states' },
    short: 'Where the hub says how the group is',
    long: 'A folder, on its node: what --state-files of rephub says.',
  },
]

import { hostname } from 'node:os'
import { agents } from '../../cluster/agents.js'
import { Pacemaker } from '../../cluster/node/pacemaker.js'
import { runProgram } from '../../cluster/node/run-program.js'
import { readEnvironment } from '../../cluster/ocf-environment.js'
import { endAlone, goOnAlone } from '../../cluster/pacemaker-arbiter.js'
import type { Command } from '../command.js'
import { exitStatus } from '../exit-status.js'

/** How long a tool of Pacemaker may take, and how long a peer that has gone is waited for, in milliseconds. */
const toolTimeout = 30_000
const fencingTimeout = 60_000

/** Answers a node that would go on without its peer, by the environment of the agent that has started it. */
export async function runArbiter({ question }: Extract<Command, { kind: 'arbiter' }>): Promise<number> {
  const { env } = process
  const { XENLIGHT_AGENT } = env
  const agent = agents.find(({ name }) => name === XENLIGHT_AGENT)
  if (agent === undefined) throw new Error('the environment names no agent of ours: an agent starts this')
  const environment = readEnvironment(env, agent.parameters, hostname())
  const { node } = environment
  const peers = agent.nodes(environment).filter(name => name !== node)
  const cluster = new Pacemaker(runProgram(toolTimeout))
  const subject = { resource: environment.instance, node, peers }
  if (question === 'alone') await goOnAlone(cluster, subject, AbortSignal.timeout(fencingTimeout))
  else await endAlone(cluster, subject)
  return exitStatus('done')
}

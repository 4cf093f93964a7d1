import type { AgentStatus, HubStatus } from 'xenlight/replication'
import { agentFamilies } from '#xenlight/metrics/agent-families.js'
import { ColoCounts } from '#xenlight/metrics/colo-counts.js'
import type { Family } from '#xenlight/metrics/family.js'
import { hubFamilies } from '#xenlight/metrics/hub-families.js'
import { processFamilies } from '#xenlight/metrics/node/process-families.js'
import { remusFamilies } from '#xenlight/metrics/remus-families.js'
import type { ServedStatus } from '#xenlight/protocol-d/control/served-status.js'
import { DiskCounts } from '#xenlight/protocol-d/node/disk-counts.js'
import { GroupCounts } from '#xenlight/replication/node/group-counts.js'

type HubGroup = HubStatus['groups'][number]
type AgentGroup = AgentStatus['groups'][number]

/** A group of a hub, of which all is known. Times are in microseconds. */
export const hubGroup = (more: Partial<HubGroup> = {}): HubGroup => ({
  ...{ name: 'web', state: 'protected', epoch: 2, term: 3, replica: 'r', agent: 'anna', isAttached: true },
  ...{
    heard: 90_500_000,
    volumes: [{ number: 0, name: 'root', size: 512 }],
    newest: { position: 9, time: 90_000_000 },
  },
  history: [
    { from: { position: 1, time: 10_000_000 }, to: { position: 4, time: 20_000_000 } },
    { from: { position: 6, time: 50_000_000 }, to: { position: 9, time: 90_000_000 } },
  ],
  ...{ lag: 77, branches: [], busy: { what: 'fail-back', done: 30, all: 100 } },
  used: { journalBytes: 1, imageBytes: 2, overlayBytes: 3 },
  limits: {
    ...{ journalBytes: 11, history: 86_400_000_000, imageBytes: 12, overlayBytes: 13, branches: 4, checkpoints: 5 },
  },
  ...{ reported: [], ...more },
})

export const hubStatus = (groups: HubGroup[], more: Partial<HubStatus> = {}): HubStatus => ({
  ...{ name: 'hub', data: '/d', listens: { host: 'h', port: 1 }, nbd: { path: '/n' }, agents: ['anna'], groups },
  ...{ closed: [], problem: undefined, lease: undefined, ...more },
})

export const takeOvers = { 'fail-over': 1, 'roll-back': 0, commit: 0, 'fail-back': 2 }

type Volume = AgentGroup['volumes'][number]

export const volumeIn = (state: Volume['state'], name = 'root'): Volume => ({ name, number: 0, size: 4096, state })

export const agentGroup = (volumes: Volume[], more: Partial<AgentGroup> = {}): AgentGroup => ({
  ...{ name: 'web', epoch: 2, queued: 55, recoveryPoint: { behind: 0.25, target: 5, isMet: true }, volumes },
  ...{ way: 'inline', clients: 1, disks: [], ...more },
})

export const agentStatus = (groups: AgentGroup[], hub: string | undefined = 'hub'): AgentStatus => ({
  name: 'anna',
  hub: { address: 'h:1', name: hub, why: undefined },
  groups,
})

const heldLease = { name: 'web', node: 'anna', state: 'held', holder: 'anna', epoch: 3, why: '' } as const

export const servedStatus = (more: Partial<ServedStatus> = {}): ServedStatus => ({
  ...{ role: 'primary', isWriter: true, disk: 'consistent', connection: 'equal', why: '', isRefused: false },
  ...{ peerRole: 'secondary', mode: 'checkpoints', checkpoint: 7, generation: 'g', differing: 1, toCopy: 2 },
  ...{ promotion: 3002, fencedBy: undefined, asksAlone: false, whyNotAlone: '', lease: undefined },
  ...{ openEpoch: 3, unacknowledged: 4, isFull: false, discards: false, failure: undefined },
  ...{ size: 4096, unsent: 5, isCongested: false, whyLost: '', clients: 1, url: 'u', listens: undefined, ...more },
})

/** All that is ever written, each with a sample. */
export function allFamilies(): Family[] {
  const counts = new GroupCounts({ hasCycles: true })
  const disk = new DiskCounts()
  disk.sent(1)!()
  const pair = new ColoCounts({ epoch: 1, every: 200 })
  pair.event({ type: 'progress', disk: 'disk0', current: 1, total: 3, secondsLeft: undefined })
  pair.event({ type: 'checkpoint', checkpoint: { number: 1, at: new Date(1000) }, pause: 3 })
  const syncing = volumeIn({ state: 'syncing', reason: 'new-volume', bytes: 9, left: 4, seconds: undefined })
  return [
    ...processFamilies({ command: 'rephub', version: '1.2.3' }),
    ...hubFamilies(
      hubStatus([hubGroup()], {
        closed: [{ name: 'db', code: 'damaged', message: 'm' }],
        lease: { name: 'copies', state: 'held', holder: 'vm-1', epoch: 3, problem: undefined },
      }),
      new Map([['web', takeOvers]]),
    ),
    ...agentFamilies(agentStatus([agentGroup([syncing])]), new Map([['web', counts]])),
    ...remusFamilies('disk', servedStatus({ lease: heldLease }), disk),
    ...pair.families(),
  ]
}

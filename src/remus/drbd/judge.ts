import { printable } from '../../printable.js'
import type { DrbdState } from './drbd-state.js'
import type { ProbeResult } from './probe-result.js'

/** The answer for a volume that was found: the protocol first, as without D nothing else helps. */
export function judge(state: DrbdState, protocol: string | undefined): ProbeResult {
  const { resource, minor, role, disk, peers } = state
  const [peer] = peers
  const word = (text: string | undefined) => printable(text ?? 'Unknown')
  const found = {
    resource: printable(resource),
    device: `/dev/drbd${minor}`,
    protocol: protocol && printable(protocol),
    connection: peer === undefined ? 'StandAlone' : word(peer.connection),
    roles: [word(role), word(peer?.role)] as const,
    disks: [word(disk), word(peer?.disk)] as const,
  }
  const name = `DRBD resource ${found.resource}`
  if (protocol === undefined)
    return {
      outcome: 'not-ready',
      ...found,
      why: `${name} has no connection: its protocol is not known`,
      hint: `connect it: drbdadm adjust ${found.resource}`,
    }
  if (protocol !== 'D')
    return {
      outcome: 'not-protocol-d',
      ...found,
      why: `${name} uses protocol ${found.protocol}: only D has checkpoints`,
      hint: "stock DRBD has no protocol D: use this package's device of protocol D, or a DRBD that was patched for Remus",
    }
  if (peers.length > 1)
    return {
      outcome: 'not-ready',
      ...found,
      why: `${name} has ${peers.length} peers: Remus is for two nodes`,
      hint: 'leave one peer in its configuration',
    }
  if (found.connection !== 'Connected')
    return {
      outcome: 'not-ready',
      ...found,
      why: `${name} is ${found.connection}, not Connected`,
      hint: `start the other node, or connect again: drbdadm connect ${found.resource}`,
    }
  if (found.roles.join('/') !== 'Primary/Secondary')
    return {
      outcome: 'not-ready',
      ...found,
      why: `${name} is ${found.roles.join('/')}, not Primary/Secondary`,
      hint: `the guest's node is to be the only primary: drbdadm primary ${found.resource} here, drbdadm secondary there`,
    }
  return { outcome: 'ready', ...found }
}

import { bytesText } from '../command-line/bytes-text.js'
import { printable } from '../printable.js'
import type { LeaseStatus } from '../protocol-d/control/lease-status.js'
import type { ServedStatus } from '../protocol-d/control/served-status.js'
import type { LogLevel } from '../service/log-level.js'
import { exitStatus } from './exit-status.js'

/** What a node is, in a line. */
export function statusText(status: ServedStatus): string {
  const { role, isWriter, disk, peerRole, mode, checkpoint, differing, openEpoch } = status
  const parts = [
    `${role}${role === 'primary' && !isWriter ? ' (the other one writes)' : ''}, ${disk}`,
    `peer: ${connectionText(status)}${peerRole === 'unknown' ? '' : `, ${peerRole}`}`,
    mode === 'checkpoints' ? `checkpoint ${checkpoint}` : `no checkpoints (last: ${checkpoint})`,
  ]
  if (differing > 0) parts.push(`${bytesText(differing)} may differ`)
  if (openEpoch > 0) parts.push(`open epoch: ${bytesText(openEpoch)}`)
  if (status.discards) parts.push('what it wrote alone will be discarded')
  if (status.promotion > 0) parts.push(`promotion ${status.promotion}`)
  if (status.fencedBy !== undefined) parts.push(`FENCED by promotion ${status.fencedBy}: demote it`)
  if (status.asksAlone)
    parts.push(
      `the guest's writes wait for the ${status.lease === undefined ? 'arbiter' : 'lease'}${reason(status.whyNotAlone)}`,
    )
  if (status.lease !== undefined) parts.push(leaseText(status.lease))
  if (status.isFull) parts.push('log full: the peer waits')
  if (status.isCongested) parts.push("congested: the guest's writes wait")
  if (status.failure !== undefined) parts.push(`FAILED: ${printable(status.failure)}`)
  return parts.join('; ')
}

function leaseText({ name, state, holder, epoch, why }: LeaseStatus): string {
  const said = reason(why)
  if (state === 'held') return `lease ${printable(name)}: held, epoch ${epoch}${said}`
  if (state === 'lost') return `lease ${printable(name)}: LOST${said}`
  if (state === 'takes') return `lease ${printable(name)}: takes over${said}`
  return `lease ${printable(name)}: ${holder === undefined ? 'nobody has it' : `${printable(holder)} has it`}${said}`
}

const reason = (why: string): string => (why === '' ? '' : ` (${printable(why)})`)

function connectionText({ connection, isRefused, why, whyLost, toCopy }: ServedStatus): string {
  // nodes that do not fit meet again and again
  if (isRefused) return `refused (${printable(why)})`
  switch (connection) {
    case 'none':
      return `not connected${reason(why || whyLost)}`
    case 'hello':
      return 'being asked what it has'
    case 'equal':
      return 'connected'
    case 'source':
    case 'source-starting':
      return `being brought up to date, ${bytesText(toCopy)} left`
    case 'target':
    case 'target-starting':
      return 'brings this node up to date'
    default:
      return `${connection} (${printable(why)})`
  }
}

/** How much it matters. */
export function levelOf({ failure, fencedBy, isRefused, connection, lease }: ServedStatus): LogLevel {
  if (failure !== undefined || fencedBy !== undefined || isRefused) return 'error'
  const isWarning = connection === 'none' || connection === 'undecided' || lease?.state === 'lost'
  return isWarning ? 'warning' : 'info'
}

/** The exit status of `status`. */
export function statusOf({ failure, fencedBy, disk, connection, isRefused }: ServedStatus): number {
  if (failure !== undefined) return exitStatus('nodeFailed')
  if (fencedBy !== undefined) return exitStatus('fenced')
  if (connection === 'equal') return exitStatus('done')
  if (connection === 'undecided') return exitStatus('undecided')
  if (isRefused) return exitStatus('splitBrain')
  if (connection !== 'none' && connection !== 'hello') return exitStatus('syncing')
  return exitStatus(disk === 'consistent' ? 'alone' : 'notPromotable')
}

export const toJson = (value: object): string => `${JSON.stringify(value)}\n`

import { checkFlag, checkInteger, checkObject, checkText, checkWord } from '../../check-argument.js'
import type { MutualTls } from '../../link/node/mutual-tls.js'
import type { SocketAddress } from '../../link/node/socket-address.js'
import type { AfterSplitBrain } from '../handshake.js'
import type { DiskFiles } from './disk-files.js'

export interface ReplicatedDiskOptions extends DiskFiles {
  /** The pair's name, which both nodes have and nobody else: it lets a peer in. */
  pair: string
  /** One node listens, the other connects. Without a host, on this machine alone. */
  peer: { listen: SocketAddress } | { connect: SocketAddress }
  /** Without it, whoever reads the network reads the disk, and the pair's name. */
  tls?: MutualTls | undefined
  /** What happens where both went on alone and one is Primary. 'disconnect' by default: an administrator decides. */
  afterSplitBrain?: AfterSplitBrain | undefined
  /** Acknowledge checkpoints before they are durable. */
  acknowledgeFromMemory?: boolean | undefined
  /** Let a Primary's guest wait, where it has no peer, until `goOnAlone` is called: by who has seen to it that the peer does not take over. */
  asksAlone?: boolean | undefined
  /** How long the peer may be silent, or take nothing, in milliseconds. 6,000 by default; it is lost at most a sixth later. */
  timeout?: number | undefined
  /** How many bytes of received epochs are kept in memory, besides the log. 64 MiB by default. */
  memory?: number | undefined
  /** How many bytes may wait to be sent; then the guest's writes wait. 64 MiB by default, 64 KiB at least. */
  sendBuffer?: number | undefined
}

/** @throws TypeError, RangeError */
export function checkDiskOptions(options: ReplicatedDiskOptions): void {
  checkObject('options', options)
  const { pair, peer, tls, afterSplitBrain, asksAlone, acknowledgeFromMemory, timeout, memory, sendBuffer } = options
  checkText('pair', pair)
  checkObject('peer', peer, '{ listen } or { connect }')
  if (tls !== undefined) checkObject('tls', tls, '{ ca, cert, key }')
  if (afterSplitBrain !== undefined) checkWord('afterSplitBrain', afterSplitBrain, ['disconnect', 'discard-secondary'])
  checkFlag('asksAlone', asksAlone)
  checkFlag('acknowledgeFromMemory', acknowledgeFromMemory)
  if (timeout !== undefined) checkInteger('timeout', timeout, 100, 3_600_000)
  if (memory !== undefined) checkInteger('memory', memory, 0, Number.MAX_SAFE_INTEGER)
  if (sendBuffer !== undefined) checkInteger('sendBuffer', sendBuffer, 64 * 1024, Number.MAX_SAFE_INTEGER)
}

import { onAbort } from '../../link/on-abort.js'
import { canceled } from '../canceled.js'
import type { LeaseClock } from '../lease-clock.js'
import { isLeaseError, LeaseError } from '../lease-error.js'
import { pause } from '../pause.js'
import type { Gateway, GatewayOptions } from './gateway.js'
import type { KeyRange } from './key-range.js'
import type { Snapshot } from './read-range.js'
import { type KeyEvent, readWatchReply, type WatchReply, watchRequest } from './watch-reply.js'

/** A stream that says nothing for so long may be that of a member that is frozen or cut off: all is read anew. In milliseconds. */
const silenceAtMost = 10_000
/** How long to wait after nobody answered, in milliseconds; twice as long each time, up to the longest. */
const pauses = { first: 100, longest: 3000 }

/** All keys as they are, or what happened since. */
export type RangeUpdate = Snapshot | { events: KeyEvent[] }

export interface FollowOptions extends GatewayOptions {
  gateway: Gateway
  clock: LeaseClock
  range: KeyRange
  /** Reads all keys. */
  readAll(): Promise<Snapshot>
}

/**
 * Follows keys: first all of them, then what happens, each once and in order, from member to member. Where what happened is forgotten, or a stream
 * is silent, all of them again.
 *
 * @throws LeaseError refused, protocol, too-many, canceled
 */
export async function* followRange(options: FollowOptions): AsyncGenerator<RangeUpdate, undefined> {
  const { clock, readAll, signal } = options
  let next: bigint | undefined
  let wait = pauses.first
  for (;;) {
    if (signal?.aborted) throw canceled(signal)
    try {
      if (next === undefined) {
        const all = await readAll()
        next = BigInt(all.revision) + 1n
        yield all
      }
      for await (const reply of untilSilent(options, next)) {
        wait = pauses.first
        if (reply === 'silent' || reply === 'compacted') {
          next = undefined
          break
        }
        next = reply.next ?? next
        if (reply.events.length > 0) yield reply
      }
    } catch (error) {
      if (!isLeaseError(error, 'unreachable')) throw error
      // where streams never come through, what is read has to do
      if (wait > pauses.first) next = undefined
      await pause(clock, wait, signal)
      wait = Math.min(wait * 2, pauses.longest)
    }
  }
}

/** What one stream says, until it ends or is silent. @throws as `Gateway.watch` */
async function* untilSilent(
  { gateway, clock, range, signal }: FollowOptions,
  from: bigint,
): AsyncGenerator<WatchReply | 'silent', undefined> {
  const over = new AbortController()
  const unlisten = signal && onAbort(signal, () => over.abort(signal.reason))
  const stream = gateway.watch(watchRequest(range, from), { signal: over.signal })
  try {
    for (;;) {
      const said = await orSilent(stream.next(), clock)
      if (said === 'silent') {
        yield said
        return
      }
      if (said.done === true) throw new LeaseError('unreachable', 'the member ended the watch')
      yield readWatchReply(said.value)
    }
  } finally {
    unlisten?.()
    over.abort()
  }
}

function orSilent<Value>(value: Promise<Value>, clock: LeaseClock): Promise<Value | 'silent'> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(silenceAtMost, () => resolve('silent'))
    value.then(resolve, reject).finally(() => timer[Symbol.dispose]())
  })
}

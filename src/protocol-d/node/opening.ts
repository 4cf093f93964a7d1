import { closeNow } from '../../link/close-now.js'
import type { Duplex } from '../../link/duplex.js'
import type { Channel } from '../node-host.js'
import { messageFraming, openingDecoder } from '../stream/message-codec.js'
import type { WireMessage } from '../stream/wire-message.js'

/** Which protocol it is; another one is another number. */
export const protocolVersion = 1

/** What a connection is opened with. */
export type Open = Extract<WireMessage, { kind: 'open' }>

/** A connection that is not a channel yet: what comes first has to be `open`. */
export interface Opening {
  duplex: Duplex
  /** Settles with what it is opened with; fails where it is something else, or ends. */
  opened: Promise<Open>
  /** Why it has ended; undefined while it has not. */
  readonly ended: string | undefined
  /** How many bytes have come. */
  readonly received: number
  /** From now on each message goes there, and its end too, also where that was before. */
  use(user: ChannelUser): void
}

/** What a channel's messages are for. */
export interface ChannelUser {
  take(message: WireMessage): void
  ended(why: string): void
  /** All that was written is sent. */
  drained(): void
}

/** Begins to read a connection. Nothing behind `open` is read before `use`. */
export function openingOf(duplex: Duplex): Opening {
  const { promise: opened, resolve, reject } = withResolvers<Open>()
  let user: ChannelUser | undefined
  let ended: string | undefined
  let received = 0
  const end = (why: string) => {
    if (ended !== undefined) return
    ended = why
    reject(new Error(why))
    user?.ended(why)
  }
  /** What came behind `open` in one piece with it. */
  const early: WireMessage[] = []
  let isOpen = false
  const decoder = openingDecoder(() => isOpen)
  duplex.start({
    data(bytes) {
      received += bytes.length
      try {
        decoder.push(bytes, message => {
          if (user !== undefined) user.take(message)
          else if (isOpen) early.push(message)
          else {
            isOpen = true
            duplex.pause?.()
            resolve(message as Open)
          }
        })
      } catch (error) {
        closeNow(duplex)
        end((error as Error).message)
      }
    },
    drained: () => user?.drained(),
    end: cause => end(cause?.message ?? 'the connection was closed'),
  })
  return {
    duplex,
    opened,
    get ended() {
      return ended
    },
    get received() {
      return received
    },
    use(one) {
      user = one
      // first, as a message may pause it again
      if (ended === undefined) duplex.resume?.()
      for (const message of early.splice(0)) one.take(message)
      if (ended !== undefined) one.ended(ended)
    },
  }
}

export const sayOpen = (duplex: Duplex, session: string, channel: Channel, pair: string): void =>
  duplex.write(messageFraming.encode({ kind: 'open', session, channel, pair, version: protocolVersion }))

function withResolvers<Value>() {
  let resolve!: (value: Value) => void
  let reject!: (error: Error) => void
  const promise = new Promise<Value>((resolved, rejected) => {
    resolve = resolved
    reject = rejected
  })
  // who does not wait for it does not care
  promise.catch(() => {})
  return { promise, resolve, reject }
}

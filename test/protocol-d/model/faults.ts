import { EpochLog } from '#xenlight/protocol-d/keep/epoch-log.js'
import { Metadata } from '#xenlight/protocol-d/keep/metadata.js'
import { Checkpoints } from '#xenlight/protocol-d/machine/checkpoints.js'
import { GuestWrites } from '#xenlight/protocol-d/machine/guest-writes.js'
import { Resync } from '#xenlight/protocol-d/machine/resync.js'
import { Receiver } from '#xenlight/protocol-d/stream/receiver.js'

/** A fault that can be planted: what it is seen by, and what plants it until it is mended. */
export interface Fault {
  what: string
  symptom: RegExp
  plant(): () => void
}

type Method = (this: unknown, ...args: never[]) => void

/** Puts another method in the place of a class's own. */
function replace(prototype: object, name: string, make: (real: Method) => Method): () => void {
  const methods = prototype as Record<string, Method>
  const real = methods[name]!
  methods[name] = make(real)
  return () => {
    methods[name] = real
  }
}

const last = (args: readonly never[]): (() => void) => args.at(-1)!

/** A node took over with what is no checkpoint, or both are not equal after a resync, or cannot be made so. */
const wrongData = /took over, and has|they differ|cannot be brought together/

export const faults: readonly Fault[] = [
  {
    what: 'a checkpoint is acknowledged before its data is durable',
    symptom: wrongData,
    plant: () =>
      replace(
        EpochLog.prototype,
        'commit',
        real =>
          function (...args) {
            real.call(this, args[0]!, (() => {}) as never)
            last(args)()
          },
      ),
  },
  {
    what: 'a checkpoint is acknowledged without the last write before it',
    symptom: wrongData,
    plant() {
      const late = new WeakMap<object, () => void>()
      return replace(
        Receiver.prototype,
        'take',
        real =>
          function (...args) {
            late.get(this as object)?.()
            const [sequence, entry] = args as unknown as [number, { data?: Uint8Array }]
            const own = entry.data === undefined ? entry : { ...entry, data: entry.data.slice() }
            late.set(this as object, () => real.call(this, sequence as never, own as never))
          },
      )
    },
  },
  {
    what: 'the epoch that is open when the link is lost is not discarded',
    symptom: wrongData,
    plant: () => replace(EpochLog.prototype, 'discard', () => () => {}),
  },
  {
    what: 'only what the new Primary wrote is resynced, not what the old one did',
    symptom: wrongData,
    plant: () =>
      replace(
        Resync.prototype,
        'takeDiffering',
        real =>
          function (link, message) {
            real.call(this, link, { ...(message as object), runs: [] } as never)
          },
      ),
  },
  {
    what: 'an extent is written before the activity log has it',
    symptom: wrongData,
    plant: () =>
      replace(
        Metadata.prototype,
        'activate',
        real =>
          function (...args) {
            let isDone = false
            const once = () => {
              if (!isDone) last(args)()
              isDone = true
            }
            real.call(this, args[0]!, args[1]!, once as never)
            once()
          },
      ),
  },
  {
    what: 'WAIT returns without an acknowledgement',
    symptom: /WAIT returned success/,
    plant: () =>
      replace(
        Checkpoints.prototype,
        'wait',
        () =>
          (...args) =>
            last(args)(),
      ),
  },
  {
    what: 'a flush does not reach the disk',
    symptom: /lost what was flushed/,
    plant: () =>
      replace(
        GuestWrites.prototype,
        'flush',
        () =>
          (...args) =>
            last(args)(),
      ),
  },
]

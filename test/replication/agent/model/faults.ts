import { Comparison } from '#xenlight/replication/agent/comparison.js'
import { GranuleLedger } from '#xenlight/replication/agent/granule-ledger.js'
import { GuardedImage } from '#xenlight/replication/agent/guarded-image.js'
import { VolumeKeep } from '#xenlight/replication/agent/volume-keep.js'

/** A fault that can be planted: what it is seen by, and what plants it until it is mended. */
export interface Fault {
  what: string
  symptom: RegExp
  /** The seed of the first life that is tried: of a rare one, not far before. */
  from?: number
  plant(): () => void
}

type Method = (this: object, ...args: never[]) => unknown

/** Puts another method in the place of a class's own. */
function replace(prototype: object, name: string, make: (real: Method) => Method): () => void {
  const methods = prototype as Record<string, Method>
  const real = methods[name]!
  methods[name] = make(real)
  return () => {
    methods[name] = real
  }
}

/** A granule is not what it is taken for, be it seen at once, by a moment that never was, or at the end. */
const wrongData = /is taken for equal, and is not|that the disks never had|differs at the end|the hub lacks something/

export const faults: readonly Fault[] = [
  {
    what: 'a bit is written after the data',
    symptom: wrongData,
    from: 75,
    plant() {
      const late = new WeakMap<object, () => void>()
      return replace(
        VolumeKeep.prototype,
        'mark',
        real =>
          function (...args) {
            late.get(this)?.()
            late.set(this, () => real.call(this, ...args))
          },
      )
    },
  },
  {
    what: 'a bit is cleared when its data is sent, and not when the hub has it',
    symptom: wrongData,
    plant: () =>
      replace(
        GranuleLedger.prototype,
        'written',
        real =>
          function (...args) {
            real.call(this, ...args)
            const ledger = this as { acknowledged(...args: never[]): void }
            ledger.acknowledged(...args)
          },
      ),
  },
  {
    what: 'a fill is read before a write that is in the stream before it',
    symptom: wrongData,
    plant() {
      const ahead = new WeakMap<object, Map<number, Uint8Array>>()
      return replace(
        GuardedImage.prototype,
        'readGranule',
        real =>
          function (...args) {
            const [granule, use] = args as unknown as [number, (bytes: Uint8Array) => void]
            const known = ahead.get(this) ?? new Map<number, Uint8Array>()
            ahead.set(this, known)
            const { image } = this as GuardedImage
            if (image.readInto !== undefined && (granule + 2) * 65536 <= image.size) {
              const bytes = new Uint8Array(65536)
              image.readInto((granule + 1) * 65536, bytes)
              known.set(granule + 1, bytes)
            }
            const own = known.get(granule)
            known.delete(granule)
            if (own === undefined) return real.call(this, ...args)
            use(own)
            return undefined
          },
      )
    },
  },
  {
    what: 'what was asked of the hub and never answered is taken for equal',
    symptom: wrongData,
    plant: () =>
      replace(
        Comparison.prototype,
        'abandon',
        real =>
          function (...args) {
            real.call(this, ...args)
            const { disk, first, count } = this as Comparison
            for (let granule = first; granule < first + count; granule++) disk.ledger.unknown.delete(granule)
          },
      ),
  },
  {
    what: 'an extent is written before the activity log has it',
    symptom: wrongData,
    from: 185,
    plant: () =>
      replace(
        VolumeKeep.prototype,
        'activate',
        real =>
          function (...args) {
            void real.call(this, ...args)
            return Promise.resolve()
          },
      ),
  },
  {
    what: 'the stream is gone, and what was not acknowledged is taken for sent',
    symptom: wrongData,
    from: 50,
    plant: () => replace(GranuleLedger.prototype, 'forgetStream', () => () => {}),
  },
]

import type { BlockBackend } from '../../nbd/block-backend.js'
import type { BackfillFilter } from './backfill-filter.js'
import type { GateSink } from './write-gate.js'

/** The guest's own writes: the filter hears of each before the target does. */
export const liveSink = (backend: BlockBackend, filter: BackfillFilter): GateSink => ({
  size: backend.size,
  write(offset, data) {
    filter.wrote({ offset, length: data.length })
    return backend.write(offset, data)
  },
  writeZeroes(offset, length) {
    filter.wrote({ offset, length })
    return backend.writeZeroes(offset, length)
  },
  flush: () => backend.flush(),
})

/** The backfill: only what the guest has not written since, all of it handed on at once, so that no write comes in between. */
export const backfillSink = (backend: BlockBackend, filter: BackfillFilter): GateSink => ({
  size: backend.size,
  write: (offset, data) =>
    all(
      filter
        .passes({ offset, length: data.length })
        .map(part =>
          backend.write(part.offset, data.subarray(part.offset - offset, part.offset - offset + part.length)),
        ),
    ),
  writeZeroes: (offset, length) =>
    all(filter.passes({ offset, length }).map(part => backend.writeZeroes(part.offset, part.length))),
  flush: () => backend.flush(),
})

async function all(answers: readonly (void | Promise<void>)[]): Promise<void> {
  await Promise.all(answers)
}

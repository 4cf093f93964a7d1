import { ReplicationError } from '../replication-error.js'
import { GranuleSet, type Run } from './granule-set.js'
import { decodeExtent, extentSize } from './index-file.js'
import { noSuchPoint } from './journal-error.js'
import { commonAncestor, type Rewind } from './lineage.js'
import { isData } from './record.js'
import type { Records } from './state-at.js'

/**
 * Runs of granules of a volume that any record after a position wrote, also such that a rewind undid; of a position that was undone also
 * what was undone with it. Throws a ReplicationError: `no-such-point` where that is folded already, `not-found`.
 */
export function changedSince(
  { base, store, durable }: Records,
  rewinds: readonly Rewind[],
  position: number,
  volume: number,
): Iterable<Run> {
  const info = durable.volumes.get(volume)
  if (info === undefined) throw new ReplicationError('not-found', `there is no volume ${volume}`)
  const last = durable.position
  const from = commonAncestor(position, last, rewinds)
  if (position > last || from < base.current.state.position) throw noSuchPoint(position)
  const granules = new GranuleSet(info.size)
  for (const segment of store.all) {
    if (segment.last <= from) continue
    if (segment.first > from && segment.number !== store.current?.number) {
      const { bytes } = store.extents(segment)
      for (let at = 0; at < bytes.length; at += extentSize) {
        const extent = decodeExtent(bytes, at)
        if (extent.volume === volume) granules.add(extent.start, extent.end)
      }
    } else
      for (const record of store.table(segment).records(from + 1))
        if (record.volume === volume && isData(record.kind)) granules.add(record.offset, record.offset + record.length)
  }
  return granules.runs()
}

import type { Limits } from '../link/limits.js'
import { ColoError } from './colo-error.js'
import { lookAt, type SideSight } from './look.js'
import { type Side, writeRecord } from './side.js'

/** What is wrong with a primary whose own image misses a write, and what to do. */
export const failingWhy = (what: string): string =>
  `the primary's own disk fails: a ${what}; the secondary alone has it: take a checkpoint and fail over`

/** Records that a primary's image misses what its secondary has: whoever goes on with the pair must know it. */
export async function recordFailing(primary: Side, disk: string, why: string, limits: Limits): Promise<void> {
  const { image, record } = (await lookAt(primary, [disk], limits)).disks[0]!
  if (image !== undefined && record !== undefined && record.failing === undefined)
    await writeRecord(primary, image.file, { ...record, failing: why }, limits)
}

/** The disks whose own image on the primary misses something, and what. */
export const failingDisks = ({ disks }: SideSight): Map<string, string> =>
  new Map(
    disks.flatMap(({ disk, role, record }) => (role === 'primary' && record?.failing ? [[disk, record.failing]] : [])),
  )

/**
 * The secondary of a failing disk is never cut off: it alone has what was acknowledged.
 *
 * @throws ColoError degraded
 */
export function refuseToCut(failing: ReadonlyMap<string, string>): void {
  for (const [disk, why] of failing)
    throw new ColoError('degraded', `${why} (or remove the primary's record, if that is to be lost)`, { disk })
}

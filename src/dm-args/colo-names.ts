import { firstBrokenRule, sentence, wayId } from '../libxl/colo-rules.js'
import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import { driveId } from './drive/drive-ids.js'
import type { Emulated, Placed } from './placement/place-disk.js'
import type { PlacementRules } from './placement/placement-rules.js'
import { refuseDisk } from './refuse-disk.js'

/** The ids of a COLO disk. */
export interface ColoNames {
  export: string
  topId: string
}

const topId = 'top-colo'

/** libxl's own naming: what is not set is "(null)", and every secondary disk has the same topmost id. */
export const libxlColoNames = (disk: ResolvedDisk): ColoNames => ({ export: disk.coloExport ?? '(null)', topId })

/**
 * Ids that QEMU accepts for all COLO disks it replicates: each an identifier and given once.
 *
 * @throws LibxlError for a colo-export that is no identifier, or another drive's
 */
export function safeColoNames(placed: readonly Placed[], rules: PlacementRules): (disk: ResolvedDisk) => ColoNames {
  const replicated = placed.filter(isReplicated)
  if (replicated.length === 0) return libxlColoNames
  const taken = new Set<string>()
  for (const place of placed) if (place.on !== 'nothing' && hasPlainId(place, rules)) taken.add(driveId(place))
  const ways = new Set(replicated.map(({ devid }) => wayId(devid)))
  for (const { disk } of replicated) {
    const broken = firstBrokenRule({ disk, ids: { ways, taken } })
    if (broken !== undefined) throw refuseDisk(broken.reason, disk, sentence(broken))
    taken.add(disk.coloExport!)
  }
  const names = new Map<ResolvedDisk, ColoNames>()
  const nextTopId = topIds(taken)
  for (const { disk, role } of replicated)
    names.set(disk, { export: disk.coloExport!, topId: role === 'secondary' ? nextTopId() : topId })
  return disk => names.get(disk) ?? libxlColoNames(disk)
}

const isReplicated = (placed: Placed): placed is Emulated => placed.on !== 'nothing' && placed.role !== 'none'

/** Its drive, or a secondary's topmost one, has the id of its place. */
const hasPlainId = ({ role }: Emulated, rules: PlacementRules): boolean =>
  role === 'none' || (role === 'secondary' && !rules.topId)

/** libxl's id for the first disk, a numbered one for each further. */
function topIds(taken: ReadonlySet<string>): () => string {
  let count = 0
  return () => {
    for (;;) {
      const id = count === 0 ? topId : `${topId}${count}`
      count++
      if (!taken.has(id)) return id
    }
  }
}

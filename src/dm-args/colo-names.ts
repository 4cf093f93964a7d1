import { isQemuId } from '../libxl/qemu-id.js'
import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import { driveId } from './drive/drive-ids.js'
import { show } from './option-text.js'
import type { Placed } from './place-disk.js'
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
export function safeColoNames(placed: readonly Placed[]): (disk: ResolvedDisk) => ColoNames {
  const replicated = placed.filter(({ role }) => role !== 'none')
  if (replicated.length === 0) return libxlColoNames
  const taken = new Set(placed.map(plainId))
  for (const { disk } of replicated) {
    const id = disk.coloExport!
    if (!isQemuId(id))
      throw refuseDisk(disk, `QEMU takes no id ${show(id)}: colo-export is a letter, then letters, digits, - . _`)
    if (taken.has(id))
      throw refuseDisk(disk, `colo-export ${show(id)} is the id of another drive: give it another name`)
    taken.add(id)
  }
  const names = new Map<ResolvedDisk, ColoNames>()
  for (const { disk, role } of replicated)
    names.set(disk, { export: disk.coloExport!, topId: role === 'secondary' ? freeTopId(taken) : topId })
  return disk => names.get(disk) ?? libxlColoNames(disk)
}

/** The id of a drive that is not replicated. */
const plainId = (placed: Placed): string | undefined =>
  placed.on === 'nothing' || placed.role !== 'none' ? undefined : driveId(placed)

/** libxl's id for the first disk, a numbered one for each further. */
function freeTopId(taken: Set<string | undefined>): string {
  let id = topId
  for (let count = 1; taken.has(id); count++) id = `${topId}${count}`
  taken.add(id)
  return id
}

import { isQemuId } from '../libxl/qemu-id.js'
import { driveIds } from './drive/drive-ids.js'
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
export const libxlColoNames = ({ disk }: Placed): ColoNames => ({ export: disk.coloExport ?? '(null)', topId })

/**
 * Ids that QEMU accepts for all COLO disks it replicates: each an identifier and given once.
 *
 * @throws LibxlError for a colo-export that is no identifier, or another drive's
 */
export function safeColoNames(placed: readonly Placed[]): (place: Placed) => ColoNames {
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
  const names = new Map<Placed, ColoNames>()
  for (const place of replicated) {
    const secondary = place.role === 'secondary'
    names.set(place, { export: place.disk.coloExport!, topId: secondary ? freeTopId(taken) : topId })
  }
  return place => names.get(place) ?? libxlColoNames(place)
}

/** The id of a drive that is not replicated. */
export function plainId(placed: Placed): string | undefined {
  if (placed.on === 'nothing' || placed.role !== 'none') return undefined
  return placed.on === 'cdrom' ? driveIds.cdrom(placed.devid) : driveIds[placed.on](placed.unit)
}

/** libxl's id for the first disk, a numbered one for each further. */
function freeTopId(taken: Set<string | undefined>): string {
  let id = topId
  for (let count = 1; taken.has(id); count++) id = `${topId}${count}`
  taken.add(id)
  return id
}

import { LibxlError } from '../libxl/libxl-error.js'
import { isQemuId } from '../libxl/qemu-id.js'
import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import { ahciId } from './ahci-disk.js'
import { cdromId } from './cdrom.js'
import type { ColoNames } from './drive.js'
import type { Placed } from './place-disk.js'
import { scsiId } from './scsi-disk.js'

const topId = 'top-colo'

/** libxl's own naming: what is not set is "(null)", and every secondary disk has the same topmost id. */
export const libxlColoNames = (disk: ResolvedDisk): ColoNames => ({
  export: disk.coloExport ?? '(null)',
  activeDisk: disk.activeDisk ?? '(null)',
  hiddenDisk: disk.hiddenDisk ?? '(null)',
  topId,
})

/**
 * Names that QEMU accepts for all COLO disks it replicates: nothing missing, every id an identifier and given once.
 *
 * @param quote makes a text fit to stand in a QEMU option
 */
export function safeColoNames(
  placed: readonly Placed[],
  quote: (text: string) => string,
): (disk: ResolvedDisk) => ColoNames {
  const taken = new Set(placed.map(plainId))
  const names = new Map<ResolvedDisk, ColoNames>()
  const replicated = placed.flatMap(place => (isReplicated(place) ? place.drive : []))
  for (const { disk } of replicated) {
    if (!disk.readwrite) throw refusal(disk, 'a read-only disk cannot be replicated: QEMU aborts')
    const id = need(disk, 'colo-export', disk.coloExport)
    if (!isQemuId(id)) {
      throw refusal(
        disk,
        `QEMU takes no id ${JSON.stringify(id)}: colo-export is a letter, then letters, digits, - . _`,
      )
    }
    if (taken.has(id)) throw refusal(disk, `colo-export "${id}" is the id of another drive: give it another name`)
    taken.add(id)
  }
  for (const { disk, role } of replicated) {
    const secondary = role === 'secondary'
    names.set(disk, {
      export: disk.coloExport!,
      activeDisk: secondary ? quote(need(disk, 'active-disk', disk.activeDisk)) : '',
      hiddenDisk: secondary ? quote(need(disk, 'hidden-disk', disk.hiddenDisk)) : '',
      topId: secondary ? freeTopId(taken) : '',
    })
  }
  return disk => names.get(disk) ?? libxlColoNames(disk)
}

const isReplicated = (placed: Placed): placed is Placed & { on: 'scsi' | 'ide' } =>
  (placed.on === 'scsi' || placed.on === 'ide') && placed.drive.role !== 'none'

/** The id of a drive that is not replicated; a drive without `id=` is named by QEMU itself (`drive_new`). */
function plainId(placed: Placed): string | undefined {
  if (placed.on === 'nothing' || isReplicated(placed)) return undefined
  if (placed.on === 'cdrom') return cdromId(placed.devid)
  const { unit } = placed.drive
  if (placed.on === 'ide') return `ide${unit >> 1}-hd${unit & 1}`
  return placed.on === 'scsi' ? scsiId(unit) : ahciId(unit)
}

/** libxl's id for the first disk, a numbered one for each further. */
function freeTopId(taken: Set<string | undefined>): string {
  let id = topId
  for (let count = 1; taken.has(id); count++) id = `${topId}${count}`
  taken.add(id)
  return id
}

function need(disk: ResolvedDisk, key: string, value: string | undefined): string {
  if (value === undefined || value === '') throw refusal(disk, `COLO needs ${key}, which is not set`)
  return value
}

const refusal = (disk: ResolvedDisk, why: string): LibxlError => new LibxlError(-6, `disk ${disk.vdev}: ${why}`)

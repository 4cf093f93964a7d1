import { LibxlError } from '../libxl/libxl-error.js'
import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import type { ColoNames, ColoRole } from './drive.js'

const identifier = /^[A-Za-z][A-Za-z0-9._-]*$/
const topId = 'top-colo'

/** libxl's own naming: what is not set is "(null)", and every secondary disk has the same topmost id. */
export const libxlColoNames = (disk: ResolvedDisk): ColoNames => ({
  export: disk.coloExport ?? '(null)',
  activeDisk: disk.activeDisk ?? '(null)',
  hiddenDisk: disk.hiddenDisk ?? '(null)',
  topId,
})

/**
 * Names that QEMU accepts for all COLO disks of a guest: nothing missing, every id an identifier and given once.
 *
 * @param quote makes a text fit to stand in a QEMU option
 */
export function safeColoNames(
  disks: readonly ResolvedDisk[],
  roleOf: (disk: ResolvedDisk) => ColoRole,
  quote: (text: string) => string,
): (disk: ResolvedDisk) => ColoNames {
  const taken = new Set<string>()
  const names = new Map<ResolvedDisk, ColoNames>()
  const replicated = disks.filter(disk => roleOf(disk) !== 'none')
  for (const disk of replicated) {
    if (!disk.readwrite) throw refusal(disk, 'a read-only disk cannot be replicated: QEMU aborts')
    const id = need(disk, 'colo-export', disk.coloExport)
    if (!identifier.test(id)) {
      throw refusal(
        disk,
        `QEMU takes no id ${JSON.stringify(id)}: colo-export is a letter, then letters, digits, - . _`,
      )
    }
    if (taken.has(id)) throw refusal(disk, `another disk has the colo-export "${id}", too`)
    taken.add(id)
  }
  for (const disk of replicated) {
    const secondary = roleOf(disk) === 'secondary'
    names.set(disk, {
      export: disk.coloExport!,
      activeDisk: secondary ? quote(need(disk, 'active-disk', disk.activeDisk)) : '',
      hiddenDisk: secondary ? quote(need(disk, 'hidden-disk', disk.hiddenDisk)) : '',
      topId: secondary ? freeTopId(taken) : '',
    })
  }
  return disk => names.get(disk) ?? libxlColoNames(disk)
}

/** libxl's id for the first disk, a numbered one for each further. */
function freeTopId(taken: Set<string>): string {
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

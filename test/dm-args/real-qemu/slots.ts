import { parseVdev, type ResolvedDisk } from 'xenlight'
import type { DiskArgsOptions } from 'xenlight/dm-args'

/** What QEMU opens for a disk, and as what. */
export interface Contents {
  file: string
  format: string
}

/** Where QEMU is to show a disk. */
export interface Slot {
  disk: ResolvedDisk
  device: 'ide-hd' | 'ide-cd' | 'scsi-hd'
  bus: string
  unit: number
  /** Of a drive that is not empty. */
  contents?: Contents
}

/** Why no QEMU starts with the disks that libxl gives it, and what it says then. */
export const faults = {
  'two hard disks in one IDE place': /drive with bus=\d, unit=\d \(index=\d\) exists/,
  'two disks with one number': /Duplicate ID '(?:scsi0-hd|ahcidisk-)-?\d+' for drive|no free lun/,
  'a CD drive in the place of another drive': /IDE unit \d is in use/,
  'no such IDE bus': /Bus 'ide\.\d+' not found/,
  'no such AHCI port': /Bus 'ahci0\.-1' not found/,
  'no such SCSI number': /bad scsi device id: \d+|Parameter 'scsi-id' expects uint32_t/,
  'two disks of a stub domain on one device': /Failed to get (?:shared )?"write" lock/,
} as const

export type Fault = keyof typeof faults

const isIdeDisk = ({ device, bus }: Slot): boolean => device === 'ide-hd' && bus.startsWith('ide.')
const placeOf = ({ bus, unit }: Slot): string => `${bus}/${unit}`

/** Gives those without a place of their own the first free one, and finds what QEMU stumbles over first. */
export function settle(slots: readonly Slot[]): Fault | undefined {
  return driveFault(slots) ?? deviceFault(slots)
}

/** QEMU reads all drives first. The machine's own IDE disks have their places from then on. */
function driveFault(slots: readonly Slot[]): Fault | undefined {
  const taken = new Set<string>()
  for (const slot of slots.filter(({ device }) => device !== 'ide-cd')) {
    if (isIdeDisk(slot) && slot.unit === -1) Object.assign(slot, freeIde(taken, 4))
    const id = slot.disk.coloEnable && !isIdeDisk(slot) ? slot.disk.coloExport! : placeOf(slot)
    if (taken.has(id)) return isIdeDisk(slot) ? 'two hard disks in one IDE place' : 'two disks with one number'
    taken.add(id)
  }
  return undefined
}

/** Then it makes the devices: the machine's own, and the others in their order. */
function deviceFault(slots: readonly Slot[]): Fault | undefined {
  const taken = new Set<string>()
  const writers = new Map<string, boolean>()
  for (const slot of [...slots.filter(isIdeDisk), ...slots.filter(slot => !isIdeDisk(slot))]) {
    const { disk, device, bus, contents } = slot
    if (device === 'ide-cd' && slot.unit === -1) Object.assign(slot, freeIde(taken, 2))
    if (bus.startsWith('ide.') && bus !== 'ide.0' && bus !== 'ide.1') return 'no such IDE bus'
    if (bus.startsWith('ahci') && !/\.[0-5]$/.test(bus)) return 'no such AHCI port'
    if (bus === 'scsi' && (slot.unit < 0 || slot.unit > 7)) return 'no such SCSI number'
    if (taken.has(placeOf(slot)))
      return device === 'ide-cd' ? 'a CD drive in the place of another drive' : 'two disks with one number'
    taken.add(placeOf(slot))
    if (contents === undefined) continue
    const writes = disk.readwrite && !disk.isCdrom
    const other = writers.get(contents.file)
    if (other !== undefined && (other || writes)) return 'two disks of a stub domain on one device'
    writers.set(contents.file, writes)
  }
  return undefined
}

function freeIde(taken: ReadonlySet<string>, places: number): { bus: string; unit: number } {
  for (let index = 0; index < places; index++) {
    const place = { bus: `ide.${index >> 1}`, unit: index & 1 }
    if (!taken.has(`${place.bus}/${place.unit}`)) return place
  }
  throw new Error('no place is free')
}

/** Undefined for a disk that QEMU is not to emulate. */
export function slotOf(disk: ResolvedDisk, options: DiskArgsOptions): Slot | undefined {
  const index = parseVdev(disk.vdev)?.disk
  if (index === undefined) return undefined
  const contents = disk.format === 'empty' ? undefined : contentsOf(disk, index, options)
  if (contents === undefined && !(disk.isCdrom && disk.format === 'empty')) return undefined
  const common = { disk, ...(contents && { contents }) }
  // a letterless name, such as "xvd", has -1: any place
  const ide = index === -1 ? { bus: 'ide.0', unit: -1 } : { bus: `ide.${index >> 1}`, unit: index & 1 }
  if (disk.isCdrom) return index <= 4 ? { ...common, device: 'ide-cd', ...ide } : undefined
  if (disk.vdev.startsWith('sd')) return { ...common, device: 'scsi-hd', bus: 'scsi', unit: index }
  if (options.hdtype === 'ahci' && index < 6) return { ...common, device: 'ide-hd', bus: `ahci0.${index}`, unit: 0 }
  return index < 4 ? { ...common, device: 'ide-hd', ...ide } : undefined
}

/** Undefined where QEMU cannot open it. */
function contentsOf(
  disk: ResolvedDisk,
  index: number,
  { stubdom, physicalDevicePath }: DiskArgsOptions,
): Contents | undefined {
  if (stubdom)
    return index < 26 ? { file: `/dev/xvd${String.fromCharCode(97 + index)}`, format: 'host_device' } : undefined
  if (disk.backendDomname !== undefined) return undefined
  if (disk.backend === 'qdisk') return { file: disk.pdevPath!, format: disk.format === 'vhd' ? 'vpc' : disk.format }
  if (disk.format === 'raw' && disk.script === undefined) return { file: disk.pdevPath!, format: 'raw' }
  const published = typeof physicalDevicePath === 'function' ? physicalDevicePath(disk) : physicalDevicePath
  if (published === undefined || (disk.backend !== 'tap' && disk.script === undefined)) return undefined
  return { file: disk.backend === 'tap' ? `nbd+unix://?socket=${published}` : published, format: 'raw' }
}

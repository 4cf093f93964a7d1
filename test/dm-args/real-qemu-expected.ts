import { parseVdev, type ResolvedDisk } from 'xenlight'
import type { DiskArgsOptions } from 'xenlight/dm-args'
import type { BlockNode, GuestDrive, ShownBlocks } from './real-qemu-shown.js'

/** Why no QEMU starts with the disks. */
export type Unstartable =
  | 'COLO that QEMU would not replicate'
  | 'two hard disks in one IDE place'
  | 'a CD drive and another drive in one IDE place'
  | 'two SCSI disks with one number'
  | 'two AHCI disks with one number'
  | 'no such SCSI number'
  | 'no such IDE bus'

/** What QEMU is to show of a guest's disks, worked out from the records alone; or why it does not start. */
export function expectedBlocks(
  disks: readonly ResolvedDisk[],
  options: DiskArgsOptions,
): ShownBlocks | { unstartable: Unstartable } {
  const shown: ShownBlocks = { drives: [], named: {} }
  let unstartable: Unstartable | undefined
  const taken = new Map<string, Slot>()
  for (const disk of disks) {
    const slot = slotOf(disk, options)
    if (disk.coloEnable && !isReplicable(disk, slot, options))
      return { unstartable: 'COLO that QEMU would not replicate' }
    if (slot === undefined) continue
    const place = `${slot.bus}/${slot.unit}`
    unstartable ??= fault(slot, taken.get(place))
    taken.set(place, slot)
    const drive = `${slot.device} ${place}`
    if (disk.format === 'empty') shown.drives.push({ place: drive })
    else shown.drives.push(guestDrive(drive, disk, options, shown.named))
  }
  if (unstartable) return { unstartable }
  shown.drives.sort((a, b) => (a.place < b.place ? -1 : 1))
  return shown
}

interface Slot {
  device: 'ide-hd' | 'ide-cd' | 'scsi-hd'
  bus: string
  unit: number
}

/** Undefined for a disk that QEMU is not to emulate. */
function slotOf(disk: ResolvedDisk, options: DiskArgsOptions): Slot | undefined {
  const index = parseVdev(disk.vdev)?.disk
  if (index === undefined) return undefined
  if (disk.format === 'empty' ? !disk.isCdrom : contentsOf(disk, options) === undefined) return undefined
  const ide = { bus: `ide.${index >> 1}`, unit: index & 1 }
  if (disk.isCdrom) return index <= 4 ? { device: 'ide-cd', ...ide } : undefined
  if (disk.vdev.startsWith('sd')) return { device: 'scsi-hd', bus: 'scsi', unit: index }
  if (options.hdtype === 'ahci' && index < 6) return { device: 'ide-hd', bus: `ahci0.${index}`, unit: 0 }
  return index < 4 ? { device: 'ide-hd', ...ide } : undefined
}

const isReplicable = (disk: ResolvedDisk, slot: Slot | undefined, { stubdom }: DiskArgsOptions): boolean =>
  disk.readwrite &&
  stubdom !== true &&
  slot !== undefined &&
  slot.device !== 'ide-cd' &&
  !slot.bus.startsWith('ahci') &&
  [disk.coloHost, disk.coloPort, disk.coloExport, disk.activeDisk, disk.hiddenDisk].every(Boolean)

function fault({ device, bus, unit }: Slot, other: Slot | undefined): Unstartable | undefined {
  if (device === 'scsi-hd') {
    if (unit < 0 || unit > 7) return 'no such SCSI number'
    return other && 'two SCSI disks with one number'
  }
  if (bus.startsWith('ahci')) return other && 'two AHCI disks with one number'
  if (bus !== 'ide.0' && bus !== 'ide.1') return 'no such IDE bus'
  if (other === undefined) return undefined
  const bothHard = device === 'ide-hd' && other.device === 'ide-hd'
  return bothHard ? 'two hard disks in one IDE place' : 'a CD drive and another drive in one IDE place'
}

/** What is opened for a disk, and as what; undefined where QEMU cannot. */
function contentsOf(
  disk: ResolvedDisk,
  { stubdom, physicalDevicePath }: DiskArgsOptions,
): { file: string; format: string } | undefined {
  if (stubdom) {
    const index = parseVdev(disk.vdev)!.disk!
    return index < 26 ? { file: `/dev/xvd${String.fromCharCode(97 + index)}`, format: 'host_device' } : undefined
  }
  if (disk.backendDomname !== undefined) return undefined
  if (disk.backend === 'qdisk') {
    const format = disk.format === 'vhd' ? 'vpc' : disk.format
    return { file: disk.pdevPath!, format }
  }
  if (disk.format === 'raw' && disk.script === undefined) return { file: disk.pdevPath!, format: 'raw' }
  const published = typeof physicalDevicePath === 'function' ? physicalDevicePath(disk) : physicalDevicePath
  if (published === undefined || (disk.backend !== 'tap' && disk.script === undefined)) return undefined
  return { file: disk.backend === 'tap' ? `nbd+unix://?socket=${published}` : published, format: 'raw' }
}

function guestDrive(
  place: string,
  disk: ResolvedDisk,
  options: DiskArgsOptions,
  named: ShownBlocks['named'],
): GuestDrive {
  const { file, format } = contentsOf(disk, options)!
  const image = imageNode(format, file, disk.isCdrom || !disk.readwrite)
  const drive = (medium: BlockNode): GuestDrive => ({ place, writeback: true, medium })
  if (!disk.coloEnable) return drive(image)
  if (!options.coloRestore && !disk.coloRestoreEnable) {
    const quorum = node('quorum', false, { children: { 'children.0': image } })
    named[disk.coloExport!] = quorum
    return drive(quorum)
  }
  named[disk.coloExport!] = image
  const hidden = imageNode('qcow2', disk.hiddenDisk!, true, { backing: image })
  const active = imageNode('qcow2', disk.activeDisk!, false, { backing: hidden })
  return drive(node('replication', false, { children: { file: active } }))
}

const node = (driver: string, readOnly: boolean, more: Pick<BlockNode, 'file' | 'children'>): BlockNode => ({
  driver,
  readOnly,
  direct: false,
  noFlush: false,
  ...more,
})

function imageNode(format: string, file: string, readOnly: boolean, below: Record<string, BlockNode> = {}): BlockNode {
  const opened = (driver: string): BlockNode => node(driver, readOnly, { file })
  if (format === 'host_device') return opened(format)
  const driver = file.startsWith('nbd+unix:') ? 'nbd' : file.startsWith('/dev/') ? 'host_device' : 'file'
  return node(format, readOnly, { children: { ...below, file: opened(driver) } })
}

import type { ResolvedDisk } from 'xenlight'
import type { DiskArgsOptions } from 'xenlight/dm-args'
import type { BlockNode, GuestDrive, ShownBlocks } from './shown.js'
import { type Fault, type Slot, settle, slotOf } from './slots.js'

/** What is to become of a guest's disks: one of these. */
export type Expected =
  | { shown: ShownBlocks }
  /** QEMU does not start with what libxl gives it. */
  | { fault: Fault }
  /** A COLO disk of this name would not be replicated. */
  | { unprotected: string }

/** What QEMU is to show of a guest's disks, worked out from the records alone. */
export function expectedOf(disks: readonly ResolvedDisk[], options: DiskArgsOptions): Expected {
  const slots: Slot[] = []
  for (const disk of disks) {
    const slot = slotOf(disk, options)
    if (disk.coloEnable && !isReplicable(disk, slot, options)) return { unprotected: disk.vdev }
    if (slot) slots.push(slot)
  }
  const fault = settle(slots)
  if (fault) return { fault }
  const shown: ShownBlocks = { drives: [], named: {} }
  for (const slot of slots) shown.drives.push(guestDrive(slot, options, shown.named))
  shown.drives.sort((a, b) => (a.place < b.place ? -1 : 1))
  return { shown }
}

const isReplicable = (disk: ResolvedDisk, slot: Slot | undefined, { stubdom }: DiskArgsOptions): boolean =>
  disk.readwrite &&
  stubdom !== true &&
  slot !== undefined &&
  slot.device !== 'ide-cd' &&
  !slot.bus.startsWith('ahci') &&
  [disk.coloHost, disk.coloPort, disk.coloExport, disk.activeDisk, disk.hiddenDisk].every(Boolean)

function guestDrive(
  { disk, device, bus, unit, contents }: Slot,
  options: DiskArgsOptions,
  named: ShownBlocks['named'],
): GuestDrive {
  const place = `${device} ${bus}/${unit}`
  if (contents === undefined) return { place }
  const image = imageNode(contents.format, contents.file, disk.isCdrom || !disk.readwrite)
  const drive = (medium: BlockNode): GuestDrive => ({ place, writeback: true, medium })
  if (!disk.coloEnable) return drive(image)
  if (!options.coloRestore && !disk.coloRestoreEnable) {
    const quorum = node('quorum', false, { children: { 'children.0': image } })
    named[disk.coloExport!] = quorum
    return drive(quorum)
  }
  named[disk.coloExport!] = image
  const hidden = imageNode('qcow2', disk.hiddenDisk!, true, image)
  const active = imageNode('qcow2', disk.activeDisk!, false, hidden)
  return drive(node('replication', false, { children: { file: active } }))
}

function imageNode(format: string, file: string, readOnly: boolean, backing?: BlockNode): BlockNode {
  const opened = (driver: string): BlockNode => node(driver, readOnly, { file })
  if (format === 'host_device') return opened(format)
  const driver = file.startsWith('nbd+unix:') ? 'nbd' : file.startsWith('/dev/') ? 'host_device' : 'file'
  return node(format, readOnly, { children: { ...(backing && { backing }), file: opened(driver) } })
}

const node = (driver: string, readOnly: boolean, more: Pick<BlockNode, 'file' | 'children'>): BlockNode => ({
  driver,
  readOnly,
  direct: false,
  noFlush: false,
  ...more,
})

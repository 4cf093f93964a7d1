import { lastStubdomDisk } from './image.js'
import type { NotEmulated } from './place-disk.js'

/** libxl's warning about a disk that QEMU does not emulate. */
export function notEmulated(place: NotEmulated): string {
  const { why, unit, disk } = place
  const reason = whyNotEmulated(place)
  switch (why) {
    case 'number':
    case 'empty':
      return reason
    case 'format':
    case 'path':
      return `${reason}\n${asPv()}`
    case 'stubdom':
      return `${reason}.\n${asPv(unit)}`
    case 'cdrom':
    case 'ide':
      return `${reason}.\n${asPv(disk.vdev)}`
  }
}

/** Its reason alone. */
export function whyNotEmulated({ why, disk: { vdev } }: NotEmulated): string {
  switch (why) {
    case 'number':
      return `unable to determine disk number for ${vdev}`
    case 'empty':
      return `Cannot support empty disk format for ${vdev}`
    case 'format':
      return `Unable to determine disk image format: ${vdev}`
    case 'path':
      return `No way to get local access disk to image: ${vdev}`
    case 'stubdom':
      return `Emulation of only first ${lastStubdomDisk} disks is supported with qemu-xen in stubdomain`
    case 'cdrom':
      return 'Emulated CDROM can be only one of the first 4 disks'
    case 'ide':
      return 'Only 4 emulated IDE disks are supported'
  }
}

const asPv = (name?: string | number): string =>
  `Disk ${name === undefined ? '' : `${name} `}will be available via PV drivers but not as an emulated disk.`

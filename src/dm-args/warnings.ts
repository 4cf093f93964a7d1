/** libxl's warnings about disks that QEMU does not emulate, and one that libxl should have. */
export const warnings = {
  number: (vdev: string): string => `unable to determine disk number for ${vdev}`,
  empty: (vdev: string): string => `Cannot support empty disk format for ${vdev}`,
  format: (vdev: string): string => `Unable to determine disk image format: ${vdev}\n${asPv()}`,
  path: (vdev: string): string => `No way to get local access disk to image: ${vdev}\n${asPv()}`,
  stubdom: (unit: number): string =>
    `Emulation of only first 25 disks is supported with qemu-xen in stubdomain.\n${asPv(unit)}`,
  cdrom: (vdev: string): string => `Emulated CDROM can be only one of the first 4 disks.\n${asPv(vdev)}`,
  ide: (vdev: string): string => `Only 4 emulated IDE disks are supported.\n${asPv(vdev)}`,
  coloOnAhci: (vdev: string): string => `COLO is not supported on AHCI: disk ${vdev} will not be replicated`,
}

const asPv = (name?: string | number): string =>
  `Disk ${name === undefined ? '' : `${name} `}will be available via PV drivers but not as an emulated disk.`

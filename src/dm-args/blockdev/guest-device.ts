import type { Emulated } from '../placement/place-disk.js'

/** What the guest sees a disk through: a driver of QEMU's and its properties. */
export interface GuestDevice {
  driver: 'ide-cd' | 'ide-hd' | 'scsi-hd'
  id: string
  properties: Readonly<Record<string, string | number>>
}

/** The id of the controller of all SCSI disks. */
export const scsiController = 'scsi0'

/**
 * The device of a disk; a CD drive without a medium reads no node.
 *
 * @param stops a request that fails stops the guest, and is done again when it goes on
 */
export function guestDevice(place: Emulated, top: string, stops: boolean): GuestDevice {
  const { driver, id, properties } = plainDevice(place, top)
  return { driver, id, properties: stops ? { ...properties, werror: 'stop', rerror: 'stop' } : properties }
}

function plainDevice(place: Emulated, top: string): GuestDevice {
  const { on, devid, unit } = place
  const ide = { bus: `ide.${unit >> 1}`, unit: unit & 1 }
  const cache = { 'write-cache': 'on' }
  switch (on) {
    case 'cdrom': {
      const properties = { ...(place.image !== undefined && { drive: top }), ...ide }
      return { driver: 'ide-cd', id: `ide-${devid}`, properties }
    }
    case 'ide':
      return { driver: 'ide-hd', id: `ide-${devid}`, properties: { drive: top, ...ide, ...cache } }
    case 'ahci': {
      const properties = { drive: top, bus: `ahci0.${unit}`, unit: 0, ...cache }
      return { driver: 'ide-hd', id: `ide-${devid}`, properties }
    }
    case 'scsi': {
      // by the last of these the guest knows the disk (VPD page 0x83); without it, that of a -drive is its id
      const properties = { drive: top, bus: `${scsiController}.0`, 'scsi-id': unit, ...cache, device_id: top }
      return { driver: 'scsi-hd', id: `scsi-${devid}`, properties }
    }
  }
}

/** The value of `-device`: no text in it but names and numbers. */
export const deviceText = ({ driver, id, properties }: GuestDevice): string =>
  [driver, `id=${id}`, ...Object.entries(properties).map(([key, value]) => `${key}=${value}`)].join(',')

import { LibxlError } from '../libxl-error.js'
import type { DiskDevice } from './disk-device.js'

/** That a device is not the one any more with which something was to be done. `meanwhile` says what, as "while …". */
export const deviceChanged = (
  device: DiskDevice,
  state: 'gone' | 'replaced' | 'unknown',
  meanwhile: string,
): LibxlError => new LibxlError('device-changed', `${whatStands(device, state)} (${meanwhile})`)

/** What stands where a device stood. */
export function whatStands({ domid, devid }: DiskDevice, state: 'gone' | 'replaced' | 'unknown'): string {
  const device = `device ${devid} of domain ${domid}`
  switch (state) {
    case 'gone':
      return `another process removed ${device}`
    case 'replaced':
      return `another process removed ${device} and attached a disk of its own there, which was left alone`
    case 'unknown':
      return `${device} was left alone: nobody can tell whose it is, as the answer to our commit never came`
  }
}

import { LibxlError } from './libxl-error.js'
import type { ResolvedDisk } from './resolved-disk.js'
import { parseVdev } from './vdev.js'

/**
 * Disks with one device number never come together: libxl refuses the second one when it attaches it.
 *
 * @throws LibxlError ERROR_DEVICE_EXISTS for the first disk whose device an earlier one is
 */
export function refuseSharedDevices(disks: readonly ResolvedDisk[]): void {
  const seen = new Map<string, string>()
  for (const { vdev, backend } of disks) {
    const devid = parseVdev(vdev)?.devid
    if (devid === undefined) continue
    const device = `${backend === 'standalone'} ${devid}`
    const other = seen.get(device)
    if (other !== undefined) {
      const why = vdev === other ? `${vdev} is given twice` : `${vdev} is ${other}`
      throw new LibxlError('device-exists', `device already exists in xenstore: ${why}`, { vdev })
    }
    seen.set(device, vdev)
  }
}

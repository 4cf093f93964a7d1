import { checkNbdDisk } from '../../libxl/check-nbd-disk.js'
import { nbdTargetOf } from '../../libxl/nbd-target.js'
import type { DeviceModelOptions } from '../disk-args-options.js'
import { forDisk, refuseDisk } from '../refuse-disk.js'
import { whyNotEmulated } from './not-emulated.js'
import type { Placed } from './place-disk.js'

/**
 * QEMU opens an NBD export for a disk that it emulates; a guest's PV drivers cannot have it.
 *
 * @throws LibxlError for a disk over NBD that the guest would not have at all
 */
export function checkNbd(placed: readonly Placed[], { domainType, stubdom }: DeviceModelOptions): void {
  for (const place of placed) {
    const { disk } = place
    if (nbdTargetOf(disk) === undefined) continue
    forDisk(disk, [], () => checkNbdDisk(disk, domainType))
    if (stubdom) throw unserved(place, 'a QEMU in a stub domain does not see the socket')
    if (place.on === 'nothing')
      throw unserved(place, place.why === 'number' ? 'its vdev is a number' : whyNotEmulated(place))
  }
}

const unserved = ({ disk }: Placed, why: string): Error =>
  refuseDisk('backend-unsuitable', disk, `QEMU opens an NBD export only for a disk that it emulates, and ${why}`)

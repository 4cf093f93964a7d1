import { LibxlError } from '../../libxl/libxl-error.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { DeviceModelOptions } from '../disk-args-options.js'
import { checkArguments } from './check-arguments.js'
import { checkColo } from './check-colo.js'
import { checkNbd } from './check-nbd.js'
import { type Placed, placeDisk } from './place-disk.js'
import type { PlacementRules } from './placement-rules.js'
import { settlePlaces } from './settle-places.js'

/** Where a guest's disks go, by libxl and in the end. */
export interface Placement {
  placed: readonly Placed[]
  /** With the place that QEMU will give to those whose name has none. */
  settled: readonly Placed[]
}

/**
 * @throws what `checkArguments` and, unless it is libxl's way, `checkColo` throw
 * @throws LibxlError for a disk over NBD that QEMU does not emulate, unless it is libxl's way; for a QEMU in a stub domain where the release has none
 */
export function placeDisks(
  disks: readonly ResolvedDisk[],
  options: DeviceModelOptions,
  rules: PlacementRules,
  libxlExact = false,
): Placement {
  checkArguments(disks, options)
  if (options.domainType === 'hvm' && options.stubdom && !rules.linuxStubdoms)
    throw new LibxlError(
      'dialect-unsupported',
      'the stub domains of Xen 4.7 run qemu-xen-traditional, which has other arguments',
    )
  const placed = disks.map(disk => placeDisk(disk, options, rules, libxlExact))
  if (libxlExact) return { placed, settled: placed }
  checkNbd(placed, options)
  checkColo(placed, options, rules)
  return { placed, settled: settlePlaces(placed, rules) }
}

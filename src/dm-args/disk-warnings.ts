import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import type { DeviceModelOptions, DiskArgsOptions } from './disk-args-options.js'
import { dialectOf } from './drive/dialect-of.js'
import type { DriveDialect } from './drive/drive.js'
import { xen417 } from './drive/xen-4.17.js'
import { type Clash, clashes } from './placement/clashes.js'
import { type Placement, placeDisks } from './placement/place-disks.js'
import type { PlacementRules } from './placement/placement-rules.js'
import { sharedImages } from './placement/shared-images.js'

/** Something to know about a disk before QEMU is started. */
export interface DiskWarning {
  /** The disk's name. */
  vdev: string
  /** QEMU does not emulate the disk, and the guest has it through its PV drivers only; or QEMU will not start with it. */
  code: 'not-emulated' | 'qemu-refuses'
  /** As among the warnings of `buildDiskArgs`. */
  message: string
}

/**
 * The warnings of `buildDiskArgs` as data, in the same order.
 *
 * @throws TypeError, RangeError and LibxlError as `buildDiskArgs` does before it writes the first argument
 */
export function diskWarnings(disks: readonly ResolvedDisk[], options: DiskArgsOptions): DiskWarning[] {
  const dialect = dialectOf(options ?? {})
  const placement = placeDisks(disks, options, dialect, options?.libxlExact)
  if (options.domainType !== 'hvm') return []
  const libxl = notEmulated(placement, dialect)
  return options.libxlExact ? libxl : [...libxl, ...refusals(placement, dialect)]
}

/** Those of `buildBlockdevArgs`, which refuses what has no place. */
export function blockdevWarnings(disks: readonly ResolvedDisk[], options: DeviceModelOptions): DiskWarning[] {
  const placement = placeDisks(disks, options, xen417)
  if (options.domainType !== 'hvm') return []
  return [...notEmulated(placement, xen417), ...sharedImages(placement.settled).map(willRefuse)]
}

const notEmulated = ({ placed }: Placement, dialect: DriveDialect): DiskWarning[] =>
  placed.flatMap(place => {
    const message = place.on === 'nothing' ? dialect.notEmulated(place) : undefined
    return message === undefined ? [] : { vdev: place.disk.vdev, code: 'not-emulated', message }
  })

/** What QEMU will not start with, though libxl passes it on. */
export const refusals = ({ settled }: Placement, rules: PlacementRules): DiskWarning[] =>
  [...clashes(settled, rules), ...sharedImages(settled)].map(willRefuse)

export const willRefuse = ({ disk: { vdev }, why }: Clash): DiskWarning => ({
  vdev,
  code: 'qemu-refuses',
  message: `QEMU will refuse disk ${vdev}: ${why}`,
})

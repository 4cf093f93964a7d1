import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseDisk, parseVdev, type ResolvedDisk, resolveDisk } from 'xenlight'
import type { DiskArgsOptions } from 'xenlight/dm-args'
import type { ArgvCase } from '../../support/argv-golden.js'
import type { DiskImages, ImageFormat } from '../../support/disk-images.js'

/** A domain of the goldens, or one like them. */
export type GoldenGuest = Pick<
  ArgvCase,
  'name' | 'type' | 'hdtype' | 'colo' | 'stubdom' | 'disks' | 'physicalDevicePath'
>

/** A guest whose disks are there to be opened. */
export interface Guest {
  name: string
  disks: ResolvedDisk[]
  options: DiskArgsOptions
  /** A stub domain's /dev. */
  dev: string | undefined
}

const domains: ReadonlyMap<string, number> = new Map([
  ['storage', 7],
  ['Domain-0', 0],
])

/**
 * The guest of a row, each of its disks with images of its own: same names, another folder.
 *
 * @param tapSocket where an NBD server serves what a tap disk's hotplug script would
 */
export function guestOf(row: GoldenGuest, images: DiskImages, tapSocket: string): Guest {
  const { name, hdtype, stubdom, type: domainType, physicalDevicePath: published } = row
  const device = (name: string, format: ImageFormat): string => images.blockDevice() ?? images.image(name, format)
  const disks = row.disks.map(({ spec, target }): ResolvedDisk => {
    const resolved = resolveDisk(parseDisk(spec), {
      domid: 11,
      domainType,
      target,
      domidOf: name => domains.get(name),
      create: true,
    })
    const { pdevPath, activeDisk, hiddenDisk } = resolved
    const make = target === 'block' ? device : images.image
    return {
      ...resolved,
      ...(pdevPath && { pdevPath: make(pdevPath, formatOf(resolved)) }),
      ...(activeDisk && { activeDisk: images.image(activeDisk, 'qcow2') }),
      ...(hiddenDisk && { hiddenDisk: images.image(hiddenDisk, 'qcow2') }),
    }
  })
  const publish = ({ backend }: ResolvedDisk): string => (backend === 'tap' ? tapSocket : device(published!, 'raw'))
  const publishedOf = new Map(disks.map(disk => [disk, published === undefined ? undefined : publish(disk)]))
  const options = {
    domainType,
    hdtype,
    stubdom,
    coloRestore: row.colo === 'secondary',
    physicalDevicePath: (disk: ResolvedDisk) => publishedOf.get(disk),
  }
  return { name, disks, options, dev: stubdom ? stubdomDev(disks, images) : undefined }
}

function stubdomDev(disks: readonly ResolvedDisk[], images: DiskImages): string {
  const dev = join(images.directory, 'dev')
  rmSync(dev, { recursive: true, force: true })
  mkdirSync(dev)
  symlinkSync('/mnt/null', join(dev, 'null'))
  const indices = new Set(disks.map(({ vdev }) => parseVdev(vdev)?.disk ?? -1))
  for (const index of indices) {
    if (index < 0 || index > 25) continue
    const device = basename(images.blockDevice()!)
    symlinkSync(`/mnt/${device}`, join(dev, `xvd${String.fromCharCode(97 + index)}`))
  }
  return dev
}

const formatOf = ({ format }: ResolvedDisk): ImageFormat => {
  if (format === 'vhd') return 'vpc'
  return format === 'unknown' || format === 'empty' ? 'raw' : format
}

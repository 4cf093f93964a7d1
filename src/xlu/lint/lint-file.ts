import { differentServer } from '../../libxl/colo-rules.js'
import type { DeviceDisk } from '../../libxl/device-disk.js'
import { parseVdev } from '../../libxl/vdev.js'
import type { ConfigPlace } from '../config-place.js'
import type { Diagnostic, Span } from '../diagnostic.js'
import type { Finding } from './finding.js'
import { warning } from './lint-disk.js'

interface PlacedDisk {
  disk: DeviceDisk
  place: ConfigPlace
}

/** What is wrong between the disks of one file, and with none of them alone. */
export function lintFile(disks: readonly PlacedDisk[], text: string): Diagnostic[] {
  const span = ({ place }: PlacedDisk): Span => ({ spec: text, start: place.start, end: place.end })
  return [...duplicates(disks, span), ...secondaries(disks, span)].map(warning)
}

/** libxl finds the second of them while it builds the domain. */
function* duplicates(disks: readonly PlacedDisk[], span: (disk: PlacedDisk) => Span): Generator<Finding> {
  const byVdev = new Map<string, PlacedDisk>()
  const byDevid = new Map<number, PlacedDisk>()
  for (const placed of disks) {
    const vdev = placed.disk.vdev ?? ''
    const devid = parseVdev(vdev)?.devid
    const sameName = byVdev.get(vdev)
    const sameNumber = devid === undefined ? undefined : byDevid.get(devid)
    const twin = sameName ?? sameNumber
    if (twin) {
      yield {
        field: 'vdev',
        code: sameName ? 'duplicate-vdev' : 'duplicate-devid',
        message: sameName
          ? `two disks have the vdev ${vdev}`
          : `the vdevs ${twin.disk.vdev} and ${vdev} are the same device, ${devid}`,
        at: span(placed),
        notes: [{ message: 'first given here', at: span(twin) }],
        hint: 'give each disk a vdev of its own',
      }
    }
    if (!sameName) byVdev.set(vdev, placed)
    if (devid !== undefined && !sameNumber) byDevid.set(devid, placed)
  }
}

/** A domain has one secondary, and QEMU there one NBD server: libxl takes its address from the first disk only. */
function* secondaries(disks: readonly PlacedDisk[], span: (disk: PlacedDisk) => Span): Generator<Finding> {
  const [first, ...others] = disks.filter(({ disk }) => disk.coloEnable)
  for (const other of others) {
    const field = differentServer(other.disk, first!.disk)
    if (field === undefined) continue
    yield {
      code: 'colo-different-secondary',
      field,
      message: `the COLO disks have different values for ${field === 'coloHost' ? 'colo-host' : 'colo-port'}`,
      at: span(other),
      notes: [{ message: 'first given here', at: span(first!) }],
      hint: 'all disks of a domain are replicated to one host and port',
    }
  }
}

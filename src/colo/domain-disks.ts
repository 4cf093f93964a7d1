import { type ColoProblem, coloProblems } from '../libxl/colo-problems.js'
import type { DeviceDisk, DiskFormat } from '../libxl/device-disk.js'
import type { LibxlReason } from '../libxl/libxl-reason.js'
import type { DomainType } from '../libxl/resolved-disk.js'
import { listDisks } from '../libxl/store/list-disks.js'
import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import type { Xenstore } from '../xenstore/xenstore.js'

/** A disk that COLO can protect, as the domain's nodes tell it; it is the same on both hosts. */
export interface ColoDisk {
  /** Its export's name, which is the id of its drive: an id in QEMU's terms, and no other disk's. */
  name: string
  vdev: string
  /** Where the secondary listens: the same for all disks. */
  host: string
  port: number
  /** The secondary's images for its own writes, and for what the primary's replace. */
  activeDisk: string
  hiddenDisk: string
  image: string
  format: DiskFormat
}

/** Why a disk cannot be protected. */
export interface ColoDiskProblem {
  /** Its number in the store. */
  devid: number
  /** Absent where its nodes tell none. */
  vdev: string | undefined
  reason: ColoProblem<unknown>['reason'] | LibxlReason
  /** For people; what it holds of the store's values is printable. */
  why: string
}

export interface DomainColoDisks {
  /** Whether the store has such a domain; one that died may leave disks behind. */
  domain: 'present' | 'missing'
  /** By their numbers. */
  disks: ColoDisk[]
  /** All that is wrong with the disks that are not among them. A domain with such disks is not protected as a whole. */
  problems: ColoDiskProblem[]
}

/**
 * The COLO disks of a domain, from libxl's own tree, to which no guest can write. One that cannot be protected is a problem and no
 * error, and so is one whose nodes are broken, as these do not tell whether it is COLO's. Whether QEMU emulates a disk is not in the store.
 *
 * @throws LibxlError where the domain has both Xen's and virtio's disks
 * @throws XenstoreError where the store cannot be read
 * @throws TypeError, RangeError for a domid outside 0 to 32751
 */
export async function coloDisksOf(store: Xenstore, domid: number, limits: Limits = {}): Promise<DomainColoDisks> {
  const listed = await listDisks(store, domid, limits)
  const root = `/local/domain/${domid}`
  const [domain, type, stubdom] = await Promise.all(
    [root, `/libxl/${domid}/type`, `${root}/image/device-model-domid`].map(path => store.readIfPresent(path, limits)),
  )
  const guest = { domainType: domainTypes.get(type ?? ''), stubdom: stubdom !== undefined }
  const problems: ColoDiskProblem[] = []
  const records: Numbered<DeviceDisk>[] = []
  for (const { devid, disk, error } of listed.sort(byNumber)) {
    if (disk !== undefined) records.push({ ...disk, devid })
    else problems.push({ devid, vdev: undefined, reason: error.reason, why: printable(error.message) })
  }
  const found = coloProblems(records, guest)
  for (const { disk, reason, why } of found)
    problems.push({ devid: disk.devid, vdev: disk.vdev, reason, why: printable(why) })
  const unfit = new Set(found.map(({ disk }) => disk))
  const disks: ColoDisk[] = []
  for (const record of records) {
    const { devid, vdev } = record
    if (!record.coloEnable || unfit.has(record)) continue
    if (record.pdevPath) disks.push(protectable(record))
    else problems.push({ devid, vdev, reason: 'node-missing', why: 'its node params names no image' })
  }
  return { domain: domain === undefined ? 'missing' : 'present', disks, problems: problems.sort(byNumber) }
}

type Numbered<Thing> = Thing & { devid: number }
const byNumber = (one: Numbered<unknown>, other: Numbered<unknown>): number => one.devid - other.devid

/** Another word counts as none: it does not say that the guest is not HVM. */
const domainTypes: ReadonlyMap<string, DomainType> = new Map([
  ['pv', 'pv'],
  ['pvh', 'pvh'],
  ['hvm', 'hvm'],
])

/** `coloProblems` found nothing missing. */
const protectable = (disk: DeviceDisk): ColoDisk => ({
  name: disk.coloExport!,
  vdev: disk.vdev!,
  host: disk.coloHost!,
  port: disk.coloPort,
  activeDisk: disk.activeDisk!,
  hiddenDisk: disk.hiddenDisk!,
  image: disk.pdevPath!,
  format: disk.format,
})

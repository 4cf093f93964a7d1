import { checkFlag, checkFunction, checkObject, checkText } from '../check-argument.js'
import { atou } from './c-integer.js'
import { checkDisk } from './check-disk.js'
import { checkDomainType, checkDomid, checkTarget } from './check-guest.js'
import { checkNbdDisk, isOverNbd } from './check-nbd-disk.js'
import { chooseBackend, type DiskTarget, emptyCdrom, isTargetExamined } from './choose-backend.js'
import type { DeviceDisk } from './device-disk.js'
import { devidOf } from './devid-of.js'
import { LibxlError } from './libxl-error.js'
import type { DomainType, ResolvedDisk } from './resolved-disk.js'

/** What a disk's defaults depend on besides the disk, apart from its target. */
export interface DiskContext {
  /** The guest's domain. */
  domid: number
  domainType: DomainType
  /** The domain of that name, for `backend=NAME`; undefined where there is none. Not asked for a number. */
  domidOf: (name: string) => number | undefined
  /** The disk comes with a domain that is being built; else it is plugged into a running one. */
  create?: boolean | undefined
  /** libxl's way: `nbd+unix:///NAME?socket=PATH` is the name of a file. Default: false. docs/remus-disks.md. */
  libxlExact?: boolean | undefined
}

/** What a disk's defaults depend on besides the disk. */
export interface ResolveContext extends DiskContext {
  /** What `stat` says of the disk's target. libxl asks only where it matters; 'missing' is right for no target. */
  target: DiskTarget
  /** Why the target is 'missing', as the C library says it. Without it: "No such file or directory". */
  targetReason?: string | undefined
}

/**
 * The disk with libxl's defaults and its choice of backend (`libxl__device_disk_setdefault`). The record given is not
 * changed. For an empty CD drive served by phy from domain 0, libxl creates the read-only file /run/xen/empty-cdrom.DOMID;
 * here the path is set and creating the file is left to who attaches the disk.
 *
 * @throws LibxlError with libxl's number and reason where libxl refuses
 * @throws TypeError for a disk that is no whole record; TypeError, RangeError for a context that is none: a domid outside 0 to
 * 32751, an unknown domainType or target
 */
export function resolveDisk(disk: DeviceDisk, context: ResolveContext): ResolvedDisk {
  checkObject('context', context, 'an object with domid, domainType, domidOf and target')
  const { target, targetReason = 'No such file or directory' } = context
  checkTarget(target)
  checkText('targetReason', targetReason)
  return withBackend(withDefaults(disk, context), context, target, targetReason)
}

/** The first half of `resolveDisk`: everything that libxl does before it looks at the target. */
export function withDefaults(disk: DeviceDisk, context: DiskContext): DeviceDisk {
  checkDisk(disk)
  checkObject('context', context, 'an object with domid, domainType and domidOf')
  checkDomid(context.domid)
  checkDomainType(context.domainType)
  checkFunction('domidOf', context.domidOf)
  checkFlag('create', context.create)
  checkFlag('libxlExact', context.libxlExact)
  const backendDomid = backendDomidOf(disk, context)
  const specification = disk.specification === 'unknown' ? 'xen' : disk.specification
  const virtio = specification === 'virtio'
  if (!virtio && disk.transport !== 'unknown') {
    throw new LibxlError('virtio-transport', 'Transport is only supported for specification virtio')
  }
  if (virtio && !context.create)
    throw new LibxlError('virtio-hotplug', "Hotplug isn't supported for specification virtio")

  let { backend, pdevPath } = disk
  if (disk.isCdrom && context.domainType === 'hvm') {
    if (backend === 'unknown') backend = 'qdisk'
    if (backend !== 'qdisk' && backend !== 'phy') {
      throw new LibxlError('cdrom-backend', 'Backend for CD devices on HVM guests must be Qdisk or Phy')
    }
  }
  if (isOnEmptyFile({ ...disk, backend, backendDomid })) pdevPath = `${emptyCdrom}.${context.domid}`
  return {
    ...disk,
    backendDomid,
    pdevPath,
    backend,
    discardEnable: disk.discardEnable ?? disk.readwrite,
    specification,
    transport: virtio ? 'mmio' : disk.transport,
    coloEnable: disk.coloEnable ?? false,
    coloRestoreEnable: disk.coloRestoreEnable ?? false,
    trusted: disk.trusted ?? true,
    grantUsage: virtio ? (disk.grantUsage ?? backendDomid !== 0) : disk.grantUsage,
  }
}

/** Whether libxl puts an empty read-only file behind a drive: it must be asked to serve it by phy, from domain 0. */
export const isOnEmptyFile = ({ isCdrom, format, backend, backendDomid }: DeviceDisk): boolean =>
  isCdrom && format === 'empty' && backend === 'phy' && backendDomid === 0

/** Whether the target is to be looked at: a URL is no path. */
export const isTargetLookedAt = (disk: DeviceDisk, { libxlExact }: DiskContext): boolean =>
  isTargetExamined(disk) && (libxlExact === true || !isOverNbd(disk))

/** The second half of `resolveDisk`: the backend, then the device number. */
export function withBackend(
  disk: DeviceDisk,
  { domainType, libxlExact }: DiskContext,
  target: DiskTarget,
  reason: string,
): ResolvedDisk {
  const overNbd = !libxlExact && isOverNbd(disk)
  if (overNbd) checkNbdDisk(disk, domainType)
  const backend = overNbd ? 'qdisk' : chooseBackend(disk, target, reason)
  devidOf(disk.vdev)
  return { ...disk, backend } as ResolvedDisk
}

/** A name of digits only is a domain's number, whether there is such a domain or not (`libxl_domain_qualifier_to_domid`). */
function backendDomidOf({ backendDomid, backendDomname }: DeviceDisk, context: DiskContext): number {
  if (backendDomname === undefined) return backendDomid
  if (/^[0-9]*$/.test(backendDomname)) return atou(backendDomname)
  const domid: number | null | undefined = context.domidOf(backendDomname)
  if (domid === undefined || domid === null)
    throw new LibxlError('backend-domain-unknown', `backend domain "${backendDomname}" not found`)
  checkDomid(domid, 'the answer of domidOf')
  return domid
}

import { checkObject } from '../check-argument.js'
import { checkDomainType, checkDomid } from '../libxl/check-guest.js'
import { checkResolvedDisks } from '../libxl/check-resolved-disk.js'
import type { DomainType, ResolvedDisk } from '../libxl/resolved-disk.js'

export interface QdiskBackendOptions {
  /** The domain whose disks are served. */
  domid: number
  domainType: DomainType
  /** The domain in which QEMU is to run. Default: 0, the host. */
  backendDomid?: number | undefined
}

/**
 * The arguments of the QEMU that serves a guest's qdisks (`libxl__spawn_qemu_xenpv_backend`). It takes the
 * disks from xenstore, so no argument names one, and serves those that are attached later as well.
 *
 * Empty where none is needed (`libxl_device_disk_dm_needed`): there is no qdisk in that domain, or the guest is HVM and
 * the domain the host, where the guest's own device model serves its qdisks.
 *
 * @throws TypeError or RangeError for an unknown domainType or a number that no domain has
 */
export function buildQdiskBackendArgs(disks: readonly ResolvedDisk[], options: QdiskBackendOptions): string[] {
  checkResolvedDisks(disks)
  checkObject('options', options, 'an object with domid and domainType at least')
  const { domid, domainType, backendDomid = 0 } = options
  checkDomid(domid)
  checkDomainType(domainType)
  checkDomid(backendDomid, 'backendDomid')
  const served = disks.some(disk => disk.backend === 'qdisk' && disk.backendDomid === backendDomid)
  if (!served || (domainType === 'hvm' && backendDomid === 0)) return []
  const nowhere = ['-monitor', '-serial', '-parallel'].flatMap(option => [option, '/dev/null'])
  return ['-xen-domid', `${domid}`, '-xen-attach', '-name', `domain-${domid}`, '-nographic', '-M', 'xenpv', ...nowhere]
}

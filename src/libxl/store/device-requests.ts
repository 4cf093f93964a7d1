import { type Permission, parsePermissions } from '../../xenstore/permissions.js'
import { diskToNodes, type XenstoreNode } from '../disk-to-nodes.js'
import type { DomainType, ResolvedDisk } from '../resolved-disk.js'
import type { DiskDevice } from './disk-device.js'

/** A change of the store, as the protocol has it. */
export type DeviceRequest =
  | { operation: 'RM' | 'MKDIR'; path: string }
  | { operation: 'WRITE'; path: string; value: string }
  | { operation: 'SET_PERMS'; path: string; permissions: Permission[] }

/** The changes with which libxl puts a disk in the store, in its order (`libxl__device_generic_add`). */
export const deviceRequests = (disk: ResolvedDisk, device: DiskDevice, domainType: DomainType): DeviceRequest[] =>
  diskToNodes(disk, { domid: device.domid, domainType }).flatMap(node => requestsFor(node, device))

/** Below the guest's directory every node but the first is given its permissions anew; elsewhere they are inherited. */
function requestsFor({ path, value, perms }: XenstoreNode, { paths }: DiskDevice): DeviceRequest[] {
  const restrict: DeviceRequest = { operation: 'SET_PERMS', path, permissions: parsePermissions(perms) }
  switch (path) {
    case paths.libxl:
      return [{ operation: 'RM', path }]
    case paths.frontend:
    case paths.backend:
      return [{ operation: 'RM', path }, { operation: 'MKDIR', path }, restrict]
  }
  const write: DeviceRequest = { operation: 'WRITE', path, value }
  const isOwn = path.startsWith(`${paths.frontend}/`) && path !== `${paths.frontend}/backend`
  return isOwn ? [write, restrict] : [write]
}

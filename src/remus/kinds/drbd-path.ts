import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import { readTarget } from '../drbd/probe-target.js'
import { isResourceName } from '../drbd/resource-name.js'

/** What of a disk is to be probed: a device of DRBD, or `drbd:RES`; undefined where the disk is none of DRBD's. */
export function drbdTarget({
  pdevPath,
  script,
  backend,
}: Pick<ResolvedDisk, 'pdevPath' | 'script' | 'backend'>): string | undefined {
  if (pdevPath === undefined) return undefined
  if (script?.split('/').at(-1) === 'block-drbd') {
    const resource = pdevPath.startsWith('drbd:') ? pdevPath.slice('drbd:'.length) : pdevPath
    return isResourceName(resource) ? `drbd:${resource}` : undefined
  }
  if (pdevPath.startsWith('drbd:')) return readTarget(pdevPath) && pdevPath
  return backend === 'phy' && readTarget(pdevPath) !== undefined ? pdevPath : undefined
}

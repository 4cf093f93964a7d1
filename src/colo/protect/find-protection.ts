import type { Limits } from '../../link/limits.js'
import { queryXenReplicationStatus } from '../../qmp/commands/xen-replication.js'
import { knowsChanges } from '../copy/dirty-changes.js'
import { epochOf } from '../graph/node-names.js'
import type { SideSight } from '../look.js'
import type { Side } from '../side.js'

/**
 * Finds a protection of this epoch that nothing has failed in, also while nobody listened.
 *
 * @returns the dirty bitmap of its last checkpoint, which all images have
 */
export async function findProtection(
  { qmp }: Side,
  here: SideSight,
  there: SideSight,
  epoch: number,
  limits: Limits,
): Promise<string | undefined> {
  const isAttached = here.disks.every(
    ({ primary, record }) =>
      primary.kind === 'replicated' &&
      // a plain NBD client keeps no error: what it missed while nobody listened is unknown
      primary.replica.nodeName !== primary.replica.nbdNode &&
      epochOf(primary.replica.nbdNode) === epoch &&
      record?.state === 'replicated',
  )
  const isKept = there.disks.every(
    ({ secondary, record }) => secondary.kind === 'replicating' && record?.state === 'replicating',
  )
  if (there.listening !== epoch || !isAttached || !isKept) return undefined
  const changes = there.disks[0]?.record?.since
  const all = [...here.disks, ...there.disks]
  if (changes === undefined || !all.every(({ image }) => image !== undefined && knowsChanges(image, changes)))
    return undefined
  const { error } = await qmp.run(queryXenReplicationStatus, undefined, limits)
  return error ? undefined : changes
}

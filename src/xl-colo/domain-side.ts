import { viewBlocks } from '../colo/block-view.js'
import { findDisks } from '../colo/find-disks.js'
import { secondaryState } from '../colo/secondary-state.js'
import type { Limits } from '../link/limits.js'
import type { SocketAddress } from '../link/node/socket-address.js'
import { connectQmp } from '../qmp/node/connect-qmp.js'
import type { Ends, StatusCommand } from './command.js'

type Domain = NonNullable<StatusCommand['domain']>

/**
 * The QEMU of a Xen domain as the side of a pair that it is: the one that was not given, else by its block graph. libxl's own monitor
 * is its socket; libxl keeps it for a moment at a time.
 */
export async function domainSide(
  { domid, qmp = monitorOf(domid) }: Domain,
  { primary, secondary }: Pick<Ends, 'primary' | 'secondary'>,
  limits: Limits,
): Promise<{ ends: Pick<Ends, 'primary' | 'secondary'>; disks: readonly string[] }> {
  const its = { qmp, urgent: undefined }
  if (secondary !== undefined) return { ends: { primary: its, secondary }, disks: [] }
  if (primary !== undefined) return { ends: { primary, secondary: its }, disks: [] }
  await using monitor = await connectQmp(qmp, limits)
  const disks = await findDisks(monitor, limits)
  const view = await viewBlocks(monitor, limits)
  const isSecondary = disks.some(disk => secondaryState(view, disk).kind !== 'missing')
  return { ends: isSecondary ? { primary, secondary: its } : { primary: its, secondary }, disks }
}

const monitorOf = (domid: number): SocketAddress => ({ path: `/var/run/xen/qmp-libxl-${domid}` })

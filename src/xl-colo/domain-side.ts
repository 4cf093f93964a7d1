import { type ColoDiskProblem, coloDisksOf } from '../colo/domain-disks.js'
import { secondaryState } from '../colo/graph/secondary-state.js'
import type { Limits } from '../link/limits.js'
import type { SocketAddress } from '../link/node/socket-address.js'
import { viewBlocks } from '../qmp/block-view.js'
import { connectQmp } from '../qmp/node/connect-qmp.js'
import { connect } from '../xenstore/node/connect.js'
import type { Ends, StatusCommand } from './command.js'
import { Refusal } from './refusal.js'

type Domain = NonNullable<StatusCommand['domain']>

/** A Xen domain as one side of a pair. */
export interface DomainSide {
  ends: Pick<Ends, 'primary' | 'secondary'>
  disks: readonly string[]
  /** What keeps other disks of the domain from being protected. */
  problems: readonly ColoDiskProblem[]
}

/**
 * The QEMU of a Xen domain as the side of a pair that it is: the one that was not given, else by its block graph. Its disks are those of
 * the running xenstore, unless some were named.
 *
 * @throws Refusal, XenstoreError, QmpError
 */
export async function domainSide(
  { domid, qmp = monitorOf(domid) }: Domain,
  { primary, secondary, disks: named }: Pick<Ends, 'primary' | 'secondary' | 'disks'>,
  limits: Limits,
): Promise<DomainSide> {
  const { disks, problems } = named.length > 0 ? { disks: named, problems: [] } : await disksOf(domid, limits)
  const its = { qmp, urgent: undefined }
  const isSecondary = primary !== undefined || (secondary === undefined && (await hasSecondary(qmp, disks, limits)))
  return { ends: isSecondary ? { primary, secondary: its } : { primary: its, secondary }, disks, problems }
}

/** libxl's own monitor of a domain; libxl holds it for a moment at a time. */
const monitorOf = (domid: number): SocketAddress => ({ path: `/var/run/xen/qmp-libxl-${domid}` })

async function disksOf(domid: number, limits: Limits): Promise<Pick<DomainSide, 'disks' | 'problems'>> {
  await using store = await connect({ signal: limits.signal })
  const { domain, disks, problems } = await coloDisksOf(store, domid, limits)
  if (domain === 'missing') throw new Refusal('refused', `there is no domain ${domid}: 'xl list' shows those that run`)
  if (disks.length > 0) return { disks: disks.map(({ name }) => name), problems }
  const why = problems.map(({ devid, vdev = `device ${devid}`, why }) => `${vdev}: ${why}`).join('; ')
  throw new Refusal('refused', `domain ${domid} has no COLO disk${why === '' ? '' : ` (${why})`}`)
}

async function hasSecondary(address: SocketAddress, disks: readonly string[], limits: Limits): Promise<boolean> {
  await using qmp = await connectQmp(address, limits)
  const view = await viewBlocks(qmp, limits)
  return disks.some(disk => secondaryState(view, disk).kind !== 'missing')
}

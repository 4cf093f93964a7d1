import type { Limits } from '../../link/limits.js'
import { blockExportDel } from '../../qmp/commands/block-export.js'
import { openServer } from '../exports/nbd-server.js'
import { addExport, endExports } from '../exports/secondary-exports.js'
import { exportId, exportName } from '../graph/node-names.js'
import type { DiskPlan } from '../protect/plan-protection.js'
import type { ProtectOptions } from '../protect/protect-options.js'
import type { Extent } from './copy-changes.js'

/** In more parts than these a disk is copied whole. */
const mostExtents = 20_000

export type AskedPlan = DiskPlan & { extents: readonly Extent[] }

/** Reads what the secondaries wrote, where a plan needs it; where that fails, all is copied. */
export async function askSecondary(
  { secondary, address, listen, epoch, readExtents }: ProtectOptions,
  plans: readonly DiskPlan[],
  limits: Limits,
): Promise<AskedPlan[]> {
  const asked: AskedPlan[] = []
  for (const plan of plans) {
    const { sync, disk } = plan
    if (sync.kind !== 'changes' || sync.also === 'nothing') {
      asked.push({ ...plan, extents: [] })
      continue
    }
    const full = (why: string) => ({ ...plan, extents: [], sync: { kind: 'full' as const, why } })
    if (listen.tlsCreds !== undefined) {
      asked.push(full('what the secondary wrote cannot be read over TLS'))
      continue
    }
    const [id, name, { bitmap }] = [exportId(epoch, disk), exportName(epoch, disk), sync]
    await endExports(secondary.qmp, () => limits)
    await openServer(secondary.qmp, listen, limits)
    try {
      await addExport(secondary.qmp, { id, node: plan.secondary.nodeName, name, bitmaps: [bitmap] }, limits)
      const extents = await readExtents({ host: address.host, port: address.port, name, bitmap }, limits)
      asked.push(
        extents.length > mostExtents
          ? full(`what the secondary wrote is in ${extents.length} parts`)
          : { ...plan, extents },
      )
    } catch (error) {
      limits.signal?.throwIfAborted()
      asked.push(full(`what the secondary wrote cannot be read: ${(error as Error).message}`))
    } finally {
      await secondary.qmp.run(blockExportDel, { id, mode: 'hard' }, limits).catch(() => {})
      await endExports(secondary.qmp, () => limits)
    }
  }
  return asked
}

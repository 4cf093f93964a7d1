import type { Limits } from '../../link/limits.js'
import { printable } from '../../printable.js'
import { ColoError } from '../colo-error.js'
import { epochOf } from '../graph/node-names.js'
import type { SideSight } from '../look.js'
import { detachReplicas } from '../primary.js'
import type { ProtectOptions } from '../protect/protect-options.js'
import type { Side } from '../side.js'
import { becomePrimary } from './become-primary.js'
import { becomeSecondary, type OverlayFiles } from './become-secondary.js'

/** Gives both sides the block graph of their role. */
export async function rebuildSides(
  options: Pick<ProtectOptions, 'primary' | 'secondary' | 'disks' | 'overlays'>,
  here: SideSight,
  there: SideSight,
  limits: Limits,
): Promise<void> {
  const { primary, secondary, disks, overlays } = options
  const following = there.disks.filter(({ role, secondary }) => role === 'primary' || secondary.kind === 'failed-over')
  if (following.length > 0) {
    // checked here too, before the other side is touched
    if (there.running)
      throw new ColoError('split-brain', 'the guest runs on the side that is to be the secondary: stop it first')
    const wanted = new Map(following.map(({ disk }) => [disk, overlaysFor(disk, overlays)]))
    await detachOld(secondary, there, limits)
    await becomeSecondary(secondary.qmp, { overlays: wanted, ...limits })
  }
  if (here.disks.some(({ role, secondary }) => role === 'secondary' && secondary.kind === 'failed-over'))
    await becomePrimary(primary.qmp, { disks, ...limits })
  await detachOld(primary, here, limits)
}

function overlaysFor(disk: string, overlays: ProtectOptions['overlays']): OverlayFiles {
  const files = overlays?.get(disk)
  if (files !== undefined) return files
  const why = `${printable(disk)} is to be a secondary, and has no overlays: make empty ones, and name them`
  throw new ColoError('wrong-state', why, { disk })
}

/** Takes away the replicas of protections that are over. */
async function detachOld({ qmp, urgent }: Side, sight: SideSight, limits: Limits): Promise<void> {
  for (const { disk, primary } of sight.disks) {
    if (primary.kind !== 'replicated') continue
    const epoch = epochOf(primary.replica.nbdNode)
    if (epoch !== undefined) await detachReplicas(qmp, { disks: [disk], epoch, urgent, ...limits })
  }
}

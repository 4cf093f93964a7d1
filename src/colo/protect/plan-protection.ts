import { printable } from '../../printable.js'
import type { ViewedNode } from '../../qmp/block-view.js'
import { ColoError } from '../colo-error.js'
import { planSync, type SyncPlan } from '../copy/sync-plan.js'
import type { DiskSight, SideSight } from '../look.js'
import type { DiskRecord, RecordedState } from '../records/disk-record.js'

/** What is to be done with one disk, so that it is protected. */
export interface DiskPlan {
  disk: string
  quorum: string
  /** The two sides' images. */
  primary: ViewedNode
  secondary: ViewedNode
  record: DiskRecord | undefined
  sync: SyncPlan
  /** Whether the secondary keeps its last checkpoint while it is copied to: what is overwritten goes into its overlay. */
  keepsCheckpoint: boolean
}

export interface PlanOptions {
  epoch: number
  /** The caller knows that the disks are equal. */
  equal: boolean
}

/** @throws ColoError old-epoch where a later one was seen on either side */
export function refuseOldEpoch(epoch: number, ...sights: readonly SideSight[]): void {
  const latest = Math.max(...sights.map(sight => sight.epoch))
  if (epoch >= latest) return
  const why = `epoch ${epoch} is over: epoch ${latest} has begun; take a number above it`
  throw new ColoError('old-epoch', why)
}

/**
 * Who took over has what the other side lacks, whatever number the caller gives.
 *
 * @throws ColoError old-epoch where the secondary-to-be took over after the primary-to-be
 */
export function refuseOlderPrimary(here: SideSight, there: SideSight): void {
  for (const [index, { disk, record }] of there.disks.entries()) {
    if (record?.state !== 'alone' && record?.state !== 'failing-over') continue
    const mine = here.disks[index]?.record?.epoch ?? 0
    if (record.epoch <= mine) continue
    const name = printable(disk)
    const why = `${name} was taken over on the secondary in epoch ${record.epoch}, and the primary has it as of epoch ${mine}`
    const instead = 'protect it the other way round (or remove that record, if what was written there is to be lost)'
    throw new ColoError('old-epoch', `${why}: ${instead}`, { disk })
  }
}

/**
 * Plans a protection from what both sides show: each disk a primary's without a replica here, and a secondary's there.
 *
 * @throws ColoError not-a-colo-disk, wrong-state, size-differs, split-brain
 */
export function planProtection(here: SideSight, there: SideSight, { equal }: PlanOptions): DiskPlan[] {
  const kinds = new Set(there.disks.map(({ secondary }) => secondary.kind).filter(kind => kind !== 'missing'))
  return here.disks.map((disk, index) => {
    const peer = there.disks[index]!
    const { quorum, image } = primaryOf(disk)
    const secondary = secondaryOf(peer, kinds)
    refuseOtherSize(disk.disk, image, secondary.image)
    const keepsCheckpoint = secondary.kind === 'replicating'
    const sync = planSync({ image }, { image: secondary.image, record: peer.record }, equal)
    const plan = { disk: disk.disk, quorum, primary: image, secondary: secondary.image, record: peer.record }
    return { ...plan, sync, keepsCheckpoint }
  })
}

function primaryOf({ disk, role, primary, secondary, record }: DiskSight): { quorum: string; image: ViewedNode } {
  const name = printable(disk)
  if (role === 'primary' && record !== undefined && !isPrimarys.has(record.state)) {
    const why = `${name} is recorded as a secondary's, ${record.state} (${record.why}): it may lack what its overlays hold`
    throw new ColoError('not-promotable', `${why}; take it over first, by its arguments for a secondary`, { disk })
  }
  if (role === 'secondary')
    throw new ColoError('wrong-state', `${name} is ${secondary.kind} on the primary: is it the secondary?`, { disk })
  switch (primary.kind) {
    case 'alone':
      if (primary.job === undefined) return primary
      throw new ColoError('wrong-state', `a block job is under way on ${name} (${primary.job}): wait for its end`, {
        disk,
      })
    case 'missing':
      throw new ColoError('not-a-colo-disk', `the primary has no disk ${name}`, { disk })
    case 'no-quorum':
      throw new ColoError(
        'not-a-colo-disk',
        `${name} is no quorum on the primary, but ${printable(primary.driver)}: give it QEMU's arguments for a COLO primary`,
        { disk },
      )
    case 'replicated':
      throw new ColoError('wrong-state', `${name} has a replica, ${printable(primary.replica.nodeName)}`, { disk })
    case 'foreign':
      throw new ColoError('wrong-state', `${name} on the primary: ${primary.why}`, { disk })
  }
}

function secondaryOf({ disk, role, secondary }: DiskSight, kinds: ReadonlySet<string>): SecondaryTarget {
  const name = printable(disk)
  if (role === 'primary')
    throw new ColoError('wrong-state', `${name} is a primary's on the secondary: give overlays for it`, { disk })
  if (role === 'none' || secondary.kind === 'missing')
    throw new ColoError('not-a-colo-disk', `${name} is no disk of a COLO secondary there`, { disk })
  if (secondary.kind !== 'ready' && secondary.kind !== 'replicating')
    throw new ColoError('wrong-state', `${name} is ${secondary.kind} on the secondary, and should be ready`, { disk })
  if (kinds.size > 1) {
    const why = `the secondary's disks are ${[...kinds].join(', ')}: QEMU starts replication of all at once; start it anew`
    throw new ColoError('wrong-state', why, { disk })
  }
  if (secondary.image.readOnly)
    throw new ColoError('not-a-colo-disk', `${name} is read-only on the secondary`, { disk })
  return { kind: secondary.kind, image: secondary.image }
}

/** What a primary's disk may be recorded as. */
const isPrimarys: ReadonlySet<string> = new Set<RecordedState>(['alone', 'replicated'])

interface SecondaryTarget {
  kind: 'ready' | 'replicating'
  image: ViewedNode
}

function refuseOtherSize(disk: string, here: ViewedNode, there: ViewedNode): void {
  if (here.virtualSize === there.virtualSize) return
  const sizes = `${here.virtualSize} bytes on the primary, ${there.virtualSize} on the secondary`
  throw new ColoError('size-differs', `${printable(disk)} has ${sizes}: make them equal`, { disk })
}

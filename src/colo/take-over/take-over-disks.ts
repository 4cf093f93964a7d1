import { setTimeout as delay } from 'node:timers/promises'
import type { Limits } from '../../link/limits.js'
import { printable } from '../../printable.js'
import { viewBlocks } from '../../qmp/block-view.js'
import { xenSetReplication } from '../../qmp/commands/xen-replication.js'
import type { Qmp } from '../../qmp/qmp.js'
import { QmpError } from '../../qmp/qmp-error.js'
import { ColoError } from '../colo-error.js'
import { endExports } from '../exports/secondary-exports.js'
import type { SecondaryState } from '../graph/secondary-state.js'
import { refuseUnless, statesOf } from '../graph/secondary-states.js'

export interface TakeOverOptions extends Limits {
  disks: readonly string[]
  /** Hears how many of the disks are the guest's now, each time that it was looked. */
  onProgress?: ((done: number, all: number) => void) | undefined
}

/**
 * Takes over: the primary's writes since the last checkpoint are undone, the guest's own are written into the disks, and the disks are
 * the guest's. The primary's way in is closed first, as what it writes once replication ends would stay. Called again after a
 * crash in the middle it goes on.
 *
 * @throws ColoError not-a-colo-disk, wrong-state where a disk was never replicated, failover-failed; QmpError ETIMEDOUT, ECANCELED
 * with QEMU still at it
 */
export async function takeOverDisks(qmp: Qmp, { disks, onProgress, signal, timeout }: TakeOverOptions): Promise<void> {
  const end = timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeout
  const left = (): Limits => ({
    signal,
    timeout: end === Number.POSITIVE_INFINITY ? undefined : Math.max(0, end - performance.now()),
  })
  const before = statesOf(await viewBlocks(qmp, left()), disks)
  if (before.some(({ kind }) => !promotable.has(kind))) refuseUnless(disks, before, 'replicating')
  await endExports(qmp, left)
  if (before.some(({ kind }) => kind === 'replicating'))
    await qmp.run(xenSetReplication, { enable: false, primary: false, failover: true }, left())
  for (let pause = 5; ; pause = Math.min(pause * 2, 250)) {
    const states = statesOf(await viewBlocks(qmp, left()), disks)
    const done = states.filter(({ kind }) => kind === 'failed-over').length
    onProgress?.(done, disks.length)
    if (done === disks.length) return
    const failed = states.findIndex(({ kind }) => kind !== 'failed-over' && kind !== 'failing-over')
    if (failed >= 0) {
      const disk = disks[failed]!
      const why = 'its overlays still hold what the disk lacks: do not open it without them'
      throw new ColoError('failover-failed', `${printable(disk)} could not be taken over; ${why}`, { disk })
    }
    await pauseFor(pause, left())
  }
}

/** A disk that was replicated until now, or that a failover has begun with. */
const promotable: ReadonlySet<SecondaryState['kind']> = new Set(['replicating', 'failing-over', 'failed-over'])

async function pauseFor(time: number, { signal }: Limits): Promise<void> {
  await delay(time, undefined, { signal }).catch(() => {
    const why = 'the take-over: its signal was aborted; QEMU goes on with what was begun'
    throw new QmpError('ECANCELED', why, { cause: signal?.reason })
  })
}

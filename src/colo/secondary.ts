import { setTimeout as delay } from 'node:timers/promises'
import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import { blockExportAdd, blockExportDel, queryBlockExports } from '../qmp/commands/block-export.js'
import { nbdServerStart, nbdServerStop } from '../qmp/commands/nbd-server.js'
import { xenSetReplication } from '../qmp/commands/xen-replication.js'
import type { Qmp } from '../qmp/qmp.js'
import { QmpError } from '../qmp/qmp-error.js'
import { type BlockView, viewBlocks } from './block-view.js'
import { ColoError } from './colo-error.js'
import { type SecondaryState, secondaryState } from './secondary-state.js'
import { unlessRefused } from './unless-refused.js'

export interface SecondaryOptions extends Limits {
  /** The disks, by their exports' names, which are their node-names or their drives' ids. */
  disks: readonly string[]
  /** The address to listen at: this one and no other. */
  host: string
  port: number
  /** The id of a `tls-creds-…` object of this QEMU. */
  tlsCreds?: string | undefined
}

/** Our exports' ids: one for each disk. */
const exportId = (index: number): string => `colo-export-${index}`

/**
 * Has a secondary's QEMU listen for its primary: one NBD server, an export for each disk. What the primary writes goes into the disks,
 * until `startReplication` keeps it apart.
 *
 * @throws ColoError not-a-colo-disk, wrong-state, server-in-use; QmpError
 */
export async function listen(qmp: Qmp, options: SecondaryOptions): Promise<void> {
  const { disks, host, port, tlsCreds, ...limits } = options
  const view = await viewBlocks(qmp, limits)
  const states = statesOf(view, disks)
  if (states.some(({ kind }) => kind !== 'replicating')) refuseUnless(disks, states, 'ready')
  if (await hasExports(qmp, disks, limits)) return
  const addr = { type: 'inet', data: { host, port: String(port) } } as const
  await qmp.run(nbdServerStart, { addr, ...(tlsCreds !== undefined && { 'tls-creds': tlsCreds }) }, limits)
  try {
    for (const [index, name] of disks.entries()) {
      const node = view.disk(name)!.nodeName
      const id = exportId(index)
      await qmp.run(blockExportAdd, { type: 'nbd', id, 'node-name': node, name, writable: true }, limits)
    }
  } catch (error) {
    await qmp.run(nbdServerStop, undefined, limits).catch(() => {})
    throw error
  }
}

/**
 * Has a secondary that listens keep apart from now on what the primary writes. Its disks must hold what the primary's do. What is
 * done already is not done again.
 *
 * @throws ColoError not-a-colo-disk, wrong-state, not-proved; QmpError
 */
export async function startReplication(
  qmp: Qmp,
  { disks, ...limits }: Pick<SecondaryOptions, 'disks'> & Limits,
): Promise<void> {
  const states = statesOf(await viewBlocks(qmp, limits), disks)
  if (states.every(({ kind }) => kind === 'replicating')) return
  refuseUnless(disks, states, 'ready')
  await qmp.run(xenSetReplication, { enable: true, primary: false }, limits)
  await prove(qmp, disks, limits)
}

async function prove(qmp: Qmp, disks: readonly string[], limits: Limits): Promise<void> {
  for (const [index, { kind }] of statesOf(await viewBlocks(qmp, limits), disks).entries()) {
    if (kind === 'replicating') continue
    const disk = disks[index]!
    throw new ColoError('not-proved', `${printable(disk)} is ${kind}, though QEMU says that replication was started`, {
      disk,
    })
  }
}

export interface FailOverOptions extends Limits {
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
export async function failOver(qmp: Qmp, { disks, onProgress, signal, timeout }: FailOverOptions): Promise<void> {
  const end = timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeout
  const left = (): Limits => ({
    signal,
    timeout: end === Number.POSITIVE_INFINITY ? undefined : Math.max(0, end - performance.now()),
  })
  const before = statesOf(await viewBlocks(qmp, left()), disks)
  if (before.some(({ kind }) => !promotable.has(kind))) refuseUnless(disks, before, 'replicating')
  await closeServer(qmp, left)
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

/** Ends our exports and the primary's connections, waits until they are gone, and ends the server unless others use it. */
async function closeServer(qmp: Qmp, left: () => Limits): Promise<void> {
  const ours = async () => (await qmp.run(queryBlockExports, undefined, left())).filter(({ id }) => isOurs.test(id))
  for (const { id } of await ours()) await qmp.run(blockExportDel, { id, mode: 'hard' }, left()).catch(unlessRefused)
  while ((await ours()).length > 0) await pauseFor(5, left())
  const others = await qmp.run(queryBlockExports, undefined, left())
  if (others.every(({ type }) => type !== 'nbd')) await qmp.run(nbdServerStop, undefined, left()).catch(unlessRefused)
}

const isOurs = /^colo-export-\d+$/

async function pauseFor(time: number, { signal }: Limits): Promise<void> {
  await delay(time, undefined, { signal }).catch(() => {
    const why = 'the failover: its signal was aborted; QEMU goes on with what was begun'
    throw new QmpError('ECANCELED', why, { cause: signal?.reason })
  })
}

/** Whether QEMU's server has exactly our exports. @throws ColoError server-in-use where it has others */
async function hasExports(qmp: Qmp, disks: readonly string[], limits: Limits): Promise<boolean> {
  const ids = new Set((await qmp.run(queryBlockExports, undefined, limits)).map(({ id }) => id))
  if (ids.size === 0) return false
  if (ids.size === disks.length && disks.every((_, index) => ids.has(exportId(index)))) return true
  throw new ColoError('server-in-use', `QEMU exports already ${[...ids].map(printable).join(', ')}`)
}

const statesOf = (view: BlockView, disks: readonly string[]): SecondaryState[] =>
  disks.map(disk => secondaryState(view, disk))

function refuseUnless(
  disks: readonly string[],
  states: readonly SecondaryState[],
  wanted: SecondaryState['kind'],
): void {
  const index = states.findIndex(({ kind }) => kind !== wanted)
  if (index < 0) return
  const disk = disks[index]!
  const { kind } = states[index]!
  if (kind === 'missing')
    throw new ColoError('not-a-colo-disk', `${printable(disk)} is no disk of a COLO secondary here`, { disk })
  throw new ColoError('wrong-state', `${printable(disk)} is ${kind}, and should be ${wanted}`, { disk })
}

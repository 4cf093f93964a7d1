import { setTimeout as delay } from 'node:timers/promises'
import type { Limits } from '../../link/limits.js'
import { printable } from '../../printable.js'
import { blockExportAdd, blockExportDel } from '../../qmp/commands/block-export.js'
import { nbdServerAdd } from '../../qmp/commands/nbd-server-add.js'
import type { Qmp } from '../../qmp/qmp.js'
import { unlessRefused } from '../../qmp/unless-refused.js'
import { ColoError } from '../colo-error.js'
import { epochOf, exportId } from '../graph/node-names.js'
import { isUnknownCommand, listExports } from './list-exports.js'
import { stopServer } from './nbd-server.js'

export async function addExport(
  qmp: Qmp,
  { id, node, name, bitmaps }: { id: string; node: string; name: string; bitmaps?: readonly string[] },
  limits: Limits,
): Promise<void> {
  const marks = bitmaps === undefined ? {} : { bitmaps }
  const [bitmap] = bitmaps ?? []
  try {
    await qmp.run(blockExportAdd, { type: 'nbd', id, 'node-name': node, name, writable: true, ...marks }, limits)
  } catch (error) {
    if (!isUnknownCommand(error)) throw error
    const old = { device: node, name, writable: true, ...(bitmap !== undefined && { bitmap }) }
    await qmp.run(nbdServerAdd, old, limits)
  }
}

/** How long exports that were ended may be there still, in milliseconds. */
const goneTimeout = 10_000

/**
 * Ends our exports and the primary's connections, and waits until they are gone. The server goes on without them: to stop it waits for who is
 * connecting just then, in Debian's QEMU 7.2 for good, and a guest that has only this side would stand still with it.
 *
 * @throws ColoError not-proved where they stay
 */
export async function endExports(qmp: Qmp, left: () => Limits): Promise<void> {
  const all = await listExports(qmp, left())
  // a QEMU that does not list them ends them with its server
  if (all === undefined) return stopServer(qmp, left())
  const ours = async () => ((await listExports(qmp, left())) ?? []).filter(({ id }) => epochOf(id) !== undefined)
  for (const { id } of await ours()) await qmp.run(blockExportDel, { id, mode: 'hard' }, left()).catch(unlessRefused)
  for (const end = performance.now() + goneTimeout; (await ours()).length > 0; ) {
    if (performance.now() > end) throw new ColoError('not-proved', 'QEMU exports still what it was told to end')
    await delay(5, undefined, { signal: left().signal })
  }
}

/**
 * Whether QEMU's server has exactly our exports of this epoch.
 *
 * @throws ColoError old-epoch where it has some of a later one, server-in-use where it has others
 */
export async function hasExports(qmp: Qmp, disks: readonly string[], epoch: number, limits: Limits): Promise<boolean> {
  const ids = ((await listExports(qmp, limits)) ?? []).map(({ id }) => id)
  const others = ids.filter(id => epochOf(id) === undefined)
  if (others.length > 0)
    throw new ColoError('server-in-use', `QEMU exports already ${others.map(printable).join(', ')}`)
  const latest = Math.max(0, ...ids.map(id => epochOf(id) ?? 0))
  if (latest > epoch) throw new ColoError('old-epoch', `epoch ${epoch} is over: the secondary is at ${latest}`)
  return ids.length === disks.length && disks.every(disk => ids.includes(exportId(epoch, disk)))
}

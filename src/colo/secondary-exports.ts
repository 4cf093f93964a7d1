import { setTimeout as delay } from 'node:timers/promises'
import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import { type BlockExport, blockExportAdd, blockExportDel, queryBlockExports } from '../qmp/commands/block-export.js'
import { nbdServerStart, nbdServerStop } from '../qmp/commands/nbd-server.js'
import { nbdServerAdd } from '../qmp/commands/nbd-server-add.js'
import type { Qmp } from '../qmp/qmp.js'
import { QmpError } from '../qmp/qmp-error.js'
import { ColoError } from './colo-error.js'
import { epochOf, exportId } from './node-names.js'
import { unlessRefused } from './unless-refused.js'

/** Where a secondary listens. */
export interface ListenAddress {
  /** The address to listen at: this one and no other. */
  host: string
  port: number
  /** The id of a `tls-creds-…` object of this QEMU. */
  tlsCreds?: string | undefined
}

/** Starts QEMU's NBD server at this address and no other. @throws ColoError server-in-use where it runs */
export async function openServer(qmp: Qmp, { host, port, tlsCreds }: ListenAddress, limits: Limits): Promise<void> {
  const others = (await listExports(qmp, limits)) ?? []
  if (others.length > 0)
    throw new ColoError('server-in-use', `QEMU exports already ${others.map(({ id }) => printable(id)).join(', ')}`)
  const addr = { type: 'inet', data: { host, port: String(port) } } as const
  await qmp.run(nbdServerStart, { addr, ...(tlsCreds !== undefined && { 'tls-creds': tlsCreds }) }, limits)
}

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

/** The exports; undefined for a QEMU before 5.2, which does not say. */
export async function listExports(qmp: Qmp, limits: Limits): Promise<BlockExport[] | undefined> {
  try {
    return await qmp.run(queryBlockExports, undefined, limits)
  } catch (error) {
    if (isUnknownCommand(error)) return undefined
    throw error
  }
}

const isUnknownCommand = (error: unknown): boolean =>
  error instanceof QmpError && error.errorClass === 'CommandNotFound'

/** How long exports that were ended may be there still, in milliseconds. */
const goneTimeout = 10_000

/**
 * Ends our exports and the primary's connections, waits until they are gone, and ends the server unless others use it.
 *
 * @throws ColoError not-proved where they stay
 */
export async function closeDoor(qmp: Qmp, left: () => Limits): Promise<void> {
  const ours = async () => ((await listExports(qmp, left())) ?? []).filter(({ id }) => epochOf(id) !== undefined)
  for (const { id } of await ours()) await qmp.run(blockExportDel, { id, mode: 'hard' }, left()).catch(unlessRefused)
  for (const end = performance.now() + goneTimeout; (await ours()).length > 0; ) {
    if (performance.now() > end) throw new ColoError('not-proved', 'QEMU exports still what it was told to end')
    await delay(5, undefined, { signal: left().signal })
  }
  // a QEMU that does not list them ends them with its server
  const others = (await listExports(qmp, left())) ?? []
  if (others.every(({ type }) => type !== 'nbd')) await qmp.run(nbdServerStop, undefined, left()).catch(unlessRefused)
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

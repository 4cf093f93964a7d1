import type { Limits } from '../../link/limits.js'
import { printable } from '../../printable.js'
import { blockdevAdd, blockdevDel } from '../../qmp/commands/blockdev-add.js'
import { nbdServerStart, nbdServerStop } from '../../qmp/commands/nbd-server.js'
import { queryNamedBlockNodes } from '../../qmp/commands/query-named-block-nodes.js'
import type { Qmp } from '../../qmp/qmp.js'
import { QmpError } from '../../qmp/qmp-error.js'
import { unlessRefused } from '../../qmp/unless-refused.js'
import { ColoError } from '../colo-error.js'
import { isServerNode, serverNode } from '../graph/node-names.js'
import { listExports } from './list-exports.js'

/** Where a secondary listens. */
export interface ListenAddress {
  /** The address to listen at: this one and no other. */
  host: string
  port: number
  /** The id of a `tls-creds-…` object of this QEMU. */
  tlsCreds?: string | undefined
}

/**
 * Has QEMU's NBD server listen at this address and no other. One that was left there without exports is kept: to stop it hangs Debian's
 * QEMU 7.2, and its guest, while anybody is connecting. QEMU does not say where it listens; a node without data does.
 *
 * @throws ColoError server-in-use where it has exports; QmpError
 */
export async function openServer(qmp: Qmp, address: ListenAddress, limits: Limits): Promise<void> {
  const others = (await listExports(qmp, limits)) ?? []
  if (others.length > 0)
    throw new ColoError('server-in-use', `QEMU exports already ${others.map(({ id }) => printable(id)).join(', ')}`)
  const mark = serverNode(address)
  const marks = await serverMarks(qmp, limits)
  await dropMarks(
    qmp,
    marks.filter(name => name !== mark),
    limits,
  )
  try {
    await start(qmp, address, limits)
  } catch (error) {
    if (!isRunning(error)) throw error
    if (marks.includes(mark)) return
    await stopServer(qmp, limits)
    await start(qmp, address, limits)
  }
  await qmp.run(blockdevAdd, { driver: 'null-co', 'node-name': mark, size: 512 }, limits).catch(unlessRefused)
}

/** Stops the server, unless others use it. */
export async function stopServer(qmp: Qmp, limits: Limits): Promise<void> {
  const others = (await listExports(qmp, limits)) ?? []
  if (others.some(({ type }) => type === 'nbd')) return
  await dropMarks(qmp, await serverMarks(qmp, limits), limits)
  await qmp.run(nbdServerStop, undefined, limits).catch(unlessRefused)
}

/** Whether this QEMU was a secondary and listens still, maybe. */
export const hasServer = async (qmp: Qmp, limits: Limits): Promise<boolean> =>
  (await serverMarks(qmp, limits)).length > 0

const start = (qmp: Qmp, { host, port, tlsCreds }: ListenAddress, limits: Limits): Promise<unknown> => {
  const addr = { type: 'inet', data: { host, port: String(port) } } as const
  return qmp.run(nbdServerStart, { addr, ...(tlsCreds !== undefined && { 'tls-creds': tlsCreds }) }, limits)
}

/** QEMU has no class for it. */
const isRunning = (error: unknown): boolean =>
  error instanceof QmpError && error.code === 'refused' && /already running/.test(error.description ?? '')

const serverMarks = async (qmp: Qmp, limits: Limits): Promise<string[]> =>
  (await qmp.run(queryNamedBlockNodes, { flat: true }, limits)).map(({ nodeName }) => nodeName).filter(isServerNode)

async function dropMarks(qmp: Qmp, marks: readonly string[], limits: Limits): Promise<void> {
  for (const mark of marks) await qmp.run(blockdevDel, { 'node-name': mark }, limits).catch(unlessRefused)
}

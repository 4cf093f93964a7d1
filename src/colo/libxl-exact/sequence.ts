import type { Limits } from '../../link/limits.js'
import { nbdServerStart, nbdServerStop } from '../../qmp/commands/nbd-server.js'
import { nbdServerAdd } from '../../qmp/commands/nbd-server-add.js'
import { blockdevChange } from '../../qmp/commands/x-blockdev-change.js'
import {
  queryXenReplicationStatus,
  xenColoDoCheckpoint,
  xenSetReplication,
} from '../../qmp/commands/xen-replication.js'
import type { Qmp } from '../../qmp/qmp.js'
import { Conversation, type LibxlReport } from './conversation.js'
import { checkDriveAdd, driveAddLine, type LibxlAddress, type LibxlDisk, libxlNodeName } from './drive-add-line.js'

// What libxl sends for COLO's disks, command for command, for QEMUs that know no other way. docs/colo-libxl.md says what it loses.
// Nothing is thrown for a failure: libxl goes on after most of them, and the report has them all.

export interface LibxlOptions extends Limits {
  disks: readonly LibxlDisk[]
}

export interface LibxlStartOptions extends LibxlOptions, LibxlAddress {}

/** Has the secondary listen and replicate. A server that does not start is tried again for each disk, as libxl does. */
export async function startSecondary(qmp: Qmp, options: LibxlStartOptions): Promise<LibxlReport> {
  const { disks, host, port, ...limits } = options
  const talk = new Conversation(limits)
  const addr = { type: 'inet', data: { host, port: String(port) } } as const
  let listens = false
  for (const { name } of disks) {
    listens ||= await talk.send(qmp, nbdServerStart, { addr })
    if (listens) await talk.send(qmp, nbdServerAdd, { device: name, writable: true })
  }
  if (talk.goesOn) await talk.send(qmp, xenSetReplication, { enable: true, primary: false })
  return talk.report
}

/**
 * Has the primary send its writes to the secondary. What `drive_add` prints is not read by libxl, which then adds whatever node has
 * that name.
 *
 * @throws TypeError, RangeError for a text that would be more than a name in the monitor's line
 */
export async function startPrimary(qmp: Qmp, options: LibxlStartOptions): Promise<LibxlReport> {
  const { disks, host, port, ...limits } = options
  checkDriveAdd({ host, port }, disks)
  const talk = new Conversation(limits)
  for (const disk of disks) {
    await talk.type(qmp, driveAddLine({ host, port }, disk))
    await talk.send(qmp, blockdevChange, { parent: disk.name, node: libxlNodeName(disk.devid) })
  }
  if (talk.goesOn) await talk.send(qmp, xenSetReplication, { enable: true, primary: true })
  return talk.report
}

/**
 * Takes a checkpoint of guests that stand still. libxl asks the primary whether replication failed, and does not read the answer;
 * neither side waits for the other's checkpoint.
 */
export async function checkpoint(
  { primary, secondary }: { primary: Qmp; secondary: Qmp },
  limits: Limits = {},
): Promise<LibxlReport> {
  const talk = new Conversation(limits)
  await talk.send(primary, queryXenReplicationStatus, undefined)
  if (!talk.goesOn) return talk.report
  await talk.send(secondary, xenColoDoCheckpoint, undefined)
  await talk.send(primary, xenColoDoCheckpoint, undefined)
  return talk.report
}

/** Has the secondary take over: without `failover`, thus without its guest's writes. Then the server is stopped, once for each disk. */
export async function failOver(qmp: Qmp, { disks, ...limits }: LibxlOptions): Promise<LibxlReport> {
  const talk = new Conversation(limits)
  await talk.sendUnheard(qmp, xenSetReplication, { enable: false, primary: false })
  for (const _ of disks) await talk.sendUnheard(qmp, nbdServerStop, undefined)
  return talk.report
}

/** Lets the primary go on alone. The nodes stay; libxl takes the second child for its own without looking. */
export async function tearDownPrimary(qmp: Qmp, { disks, ...limits }: LibxlOptions): Promise<LibxlReport> {
  const talk = new Conversation(limits)
  await talk.sendUnheard(qmp, xenSetReplication, { enable: false, primary: true })
  for (const { name } of disks) await talk.sendUnheard(qmp, blockdevChange, { parent: name, child: 'children.1' })
  return talk.report
}

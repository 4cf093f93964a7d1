import type { Limits } from '../link/limits.js'
import { blockdevAdd, blockdevDel } from '../qmp/commands/blockdev-add.js'
import { guestDevices } from '../qmp/commands/guest-devices.js'
import { queryNamedBlockNodes } from '../qmp/commands/query-named-block-nodes.js'
import { queryStatus } from '../qmp/commands/query-status.js'
import { cont, stop } from '../qmp/commands/stop-cont.js'
import type { Qmp } from '../qmp/qmp.js'
import { unlessRefused } from '../qmp/unless-refused.js'
import { isParkNode } from './graph/node-names.js'

/** A toolstack's own way to have a guest stand still and go on, where it has one: Xen's, say. */
export interface GuestControl {
  stop(limits: Limits): Promise<void>
  resume(limits: Limits): Promise<void>
}

/** A node without data: it says that it was us who stopped the guest, should this process be gone before it resumes it. */
const stoppedMark = 'colo-stopped'

/**
 * How a side stands still and goes on. QEMU's `stop` writes out all that it keeps in memory, also where its guest does not run: what a
 * checkpoint promises has to be in the files. The guest is resumed only where it ran.
 */
export async function guestOf(
  { qmp, guest }: { qmp: Qmp; guest?: GuestControl | undefined },
  limits: Limits,
): Promise<GuestControl & { isRunning: boolean }> {
  const { running } = await qmp.run(queryStatus, undefined, limits)
  if (running)
    await qmp.run(blockdevAdd, { driver: 'null-co', 'node-name': stoppedMark, size: 512 }, limits).catch(unlessRefused)
  return {
    isRunning: running || guest !== undefined,
    async stop(limits) {
      await guest?.stop(limits)
      await qmp.run(stop, undefined, limits)
    },
    async resume(limits) {
      if (running) await resume(qmp, limits)
      await guest?.resume(limits)
    },
  }
}

async function resume(qmp: Qmp, limits: Limits): Promise<void> {
  await qmp.run(cont, undefined, limits)
  await qmp.run(blockdevDel, { 'node-name': stoppedMark }, limits).catch(unlessRefused)
}

/** Resumes a guest that a process which is gone has stopped; not while its device stands on no disk. */
export async function resumeAbandoned(qmp: Qmp, limits: Limits): Promise<void> {
  const nodes = await qmp.run(queryNamedBlockNodes, { flat: true }, limits)
  if (!nodes.some(({ nodeName }) => nodeName === stoppedMark)) return
  const devices = await qmp.run(guestDevices, undefined, limits)
  if (devices.some(({ nodeName }) => nodeName !== undefined && isParkNode(nodeName))) return
  await resume(qmp, limits)
}

/** A guest that stands still is to stay so: nobody is to resume it by what a process before has left. */
export async function forgetStopped(qmp: Qmp, limits: Limits): Promise<void> {
  await qmp.run(blockdevDel, { 'node-name': stoppedMark }, limits).catch(unlessRefused)
}

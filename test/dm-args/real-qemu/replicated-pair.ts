import type { ResolvedDisk } from 'xenlight'
import type { Qemu } from '../../real/qemu.js'

/** The two sides of COLO. */
export interface Pair {
  primary: Qemu
  secondary: Qemu
}

/** Starts the replication of disks as libxl does (libxl_colo_qdisk.c), by the names in their records. */
export async function startReplication({ primary, secondary }: Pair, disks: readonly ResolvedDisk[]): Promise<void> {
  const [{ coloHost: host, coloPort }] = disks as [ResolvedDisk]
  const port = String(coloPort)
  await secondary.qmp('nbd-server-start', { addr: { type: 'inet', data: { host, port } } })
  for (const { coloExport: device } of disks) await secondary.qmp('nbd-server-add', { device, writable: true })
  await secondary.qmp('xen-set-replication', { enable: true, primary: false })

  for (const [index, { coloExport }] of disks.entries()) {
    const node = `colo_node${index}`
    const complaint = await primary.monitor(
      `drive_add -n buddy driver=replication,mode=primary,file.driver=nbd,file.host=${host},file.port=${port},` +
        `file.export=${coloExport},node-name=${node}`,
    )
    if (complaint !== '') throw new Error(complaint)
    await primary.qmp('x-blockdev-change', { parent: coloExport, node })
  }
  await primary.qmp('xen-set-replication', { enable: true, primary: true })
}

/** Both sides agree: the secondary forgets its own writes for the primary's. */
export async function checkpoint({ primary, secondary }: Pair): Promise<void> {
  await secondary.qmp('xen-colo-do-checkpoint')
  await primary.qmp('xen-colo-do-checkpoint')
}

/** Does what a guest would with a disk: `write -P 1 0 64k` fills, `read -P 1 0 64k` expects a byte. */
export async function guestIo(qemu: Qemu, device: string, command: string): Promise<void> {
  const complaint = await qemu.monitor(`qemu-io -d ${device} "${command}"`)
  if (complaint !== '') throw new Error(complaint)
}

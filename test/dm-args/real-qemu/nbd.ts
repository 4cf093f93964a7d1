import { join } from 'node:path'
import { startQemu } from '../../real/qemu.js'
import type { DiskImages } from '../../support/disk-images.js'

/** An NBD server as a tap disk's hotplug script leaves one: an export without a name on a unix socket. */
export async function serveNbd(images: DiskImages): Promise<AsyncDisposable & { socket: string }> {
  const file = { driver: 'file', filename: images.image('tap', 'raw') }
  const { qemu, refusal } = await startQemu(['-blockdev', JSON.stringify({ driver: 'raw', 'node-name': 'tap', file })])
  if (qemu === undefined) throw new Error(refusal)
  const socket = join(images.directory, 'nbd')
  await qemu.qmp('nbd-server-start', { addr: { type: 'unix', data: { path: socket } } })
  await qemu.qmp('block-export-add', { type: 'nbd', id: 'tap', name: '', 'node-name': 'tap', writable: true })
  return { socket, [Symbol.asyncDispose]: qemu.stop }
}

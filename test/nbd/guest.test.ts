import { join } from 'node:path'
import t from 'tap'
import { connectNbd, listenNbd, openFileBackend } from 'xenlight/nbd'
import { cont, stop } from 'xenlight/qmp'
import { lastNumber, writesIn } from '../guest/numbered-disks.js'
import { failed, guestSector, silentGuest } from '../guest/numbered-guest.js'
import { eventually } from '../protocol-d/eventually.js'
import { startQemu } from '../real/qemu.js'
import { realPart } from '../support/real-part.js'
import { socketFolder } from './socket-folder.js'

const mebibyte = 1024 * 1024

for (const device of ['ide-hd', 'virtio-blk-pci'])
  t.test(`a guest boots from a disk of ours and writes to it: ${device}`, async t => {
    const path = join(socketFolder(t), 's')
    const backend = await openFileBackend(join(socketFolder(t), 'disk'), { create: mebibyte })
    await using server = await listenNbd({ path }, [{ name: 'disk', backend }])
    await using disk = await connectNbd({ path }, { export: 'disk' })
    await disk.write(0, guestSector(silentGuest))
    const node = { driver: 'nbd', 'node-name': 'd', export: 'disk', server: { type: 'unix', path } }
    const args = ['-blockdev', JSON.stringify(node), '-device', `${device},drive=d`]
    const started = await realPart(t, () => startQemu(['-m', '16', '-debugcon', 'stdio', ...args]))
    if (started === undefined) return
    if (started.qemu === undefined) throw new Error(started.refusal)
    await using qemu = started.qemu
    await qemu.client.run(cont)
    await eventually('100 numbers are on the disk', async () => {
      if (qemu.printed().includes(failed)) throw new Error('the guest cannot write')
      return lastNumber(silentGuest, [await disk.read(0, mebibyte)]) >= 100
    })
    await qemu.client.run(stop)
    await qemu.quit()
    await eventually('QEMU has gone', () => server.connections === 1)
    const writes = writesIn(silentGuest, [await disk.read(0, mebibyte)])
    t.ok(writes >= 100, `${writes} writes`)
  })

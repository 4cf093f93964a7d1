import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cont, stop } from 'xenlight/qmp'
import { socketFolder } from '../nbd/socket-folder.js'
import { eventually } from '../protocol-d/eventually.js'
import { startQemu } from '../real/qemu.js'
import { realPart } from '../support/real-part.js'
import { guestDiskSize, placeOf, writesIn } from './numbered-disks.js'
import { guestSector, lastReported } from './numbered-guest.js'

for (const disks of [1, 2, 3])
  t.test(`a guest writes to ${disks} disks by turns, and reports each write`, async t => {
    const guest = { disks, sectors: 200 }
    const folder = socketFolder(t)
    const paths = Array.from({ length: disks }, (_, disk) => join(folder, `disk${disk}`))
    for (const [disk, path] of paths.entries()) {
      const image = Buffer.alloc(guestDiskSize(guest))
      if (disk === 0) guestSector(guest).copy(image)
      writeFileSync(path, image)
    }
    const console = join(folder, 'console')
    const drives = paths.flatMap((path, disk) => ['-drive', `file=${path},format=raw,if=ide,index=${disk}`])
    const started = await realPart(t, () => startQemu(['-m', '16', '-debugcon', `file:${console}`, ...drives]))
    if (started === undefined) return
    if (started.qemu === undefined) throw new Error(started.refusal)
    await using qemu = started.qemu
    await qemu.client.run(cont)
    const reported = () => lastReported(readFileSync(console))
    await eventually('it goes over its sectors twice', () => reported() > 2 * 200 * disks)
    await qemu.client.run(stop)
    await qemu.quit()
    const images = paths.map(path => readFileSync(path))
    const writes = writesIn(guest, images)
    t.ok(writes >= reported() && writes <= reported() + 1, `${writes} writes, ${reported()} reported`)

    const { disk, sector } = placeOf(guest, writes - 3)
    images[disk]!.writeUInt32LE(writes - 4, sector * 512)
    t.throws(() => writesIn(guest, images), /not/, 'a write that is missing')
    const newer = paths.map(path => readFileSync(path))
    const next = placeOf(guest, writes + 2)
    newer[next.disk]!.writeUInt32LE(writes + 2, next.sector * 512)
    t.throws(() => writesIn(guest, newer), /not/, 'one that is there without the one before it')
  })

t.test('a guest goes on behind a number', async t => {
  const guest = { disks: 1, sectors: 200 }
  const folder = socketFolder(t)
  const [path, console] = [join(folder, 'disk'), join(folder, 'console')]
  const image = Buffer.alloc(guestDiskSize(guest))
  guestSector(guest, 70_000).copy(image)
  writeFileSync(path, image)
  const drive = ['-drive', `file=${path},format=raw,if=ide`]
  const started = await realPart(t, () => startQemu(['-m', '16', '-debugcon', `file:${console}`, ...drive]))
  if (started === undefined) return
  if (started.qemu === undefined) throw new Error(started.refusal)
  await using qemu = started.qemu
  await qemu.client.run(cont)
  await eventually('it has written all its sectors', () => lastReported(readFileSync(console)) > 70_200)
  await qemu.quit()
  t.ok(writesIn(guest, [readFileSync(path)]) > 70_200)
})

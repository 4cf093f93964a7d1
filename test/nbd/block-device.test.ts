import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connectNbd, formatNbdUrl, listenNbd, openFileBackend } from 'xenlight/nbd'
import { diskImages } from '../support/disk-images.js'
import { realPart } from '../support/real-part.js'
import { needs, succeeds } from './programs.js'
import { socketFolder } from './socket-folder.js'

const mebibyte = 1024 * 1024

t.test('a block device as a disk: its size, its data, zeroes, a flush', async t => {
  if ((await realPart(t, () => needs('qemu-img') ?? true)) === undefined) return
  for (const size of [mebibyte, 5 * mebibyte + 512, 96 * mebibyte]) {
    using images = diskImages(size)
    const device = images.blockDevice()
    if (device === undefined) {
      t.plan(0, 'it needs a loop device, which only root can make')
      return
    }
    const path = join(socketFolder(t), 's')
    const backend = await openFileBackend(device)
    t.equal(backend.size, size)
    await using _ = await listenNbd({ path }, [{ name: '', backend }])
    await using disk = await connectNbd({ path })
    const data = randomBytes(mebibyte)
    await disk.write(size - data.length, data, { fua: true })
    await disk.writeZeroes(size - 1000, 900)
    data.fill(0, data.length - 1000, data.length - 100)
    await disk.flush()
    t.ok(readFileSync(device).subarray(-data.length).equals(data), 'the device has it')
    await t.rejects(disk.write(size, Buffer.alloc(1)), RangeError)
    const url = formatNbdUrl({ tls: false, address: { path }, exportName: '' })
    t.ok(await succeeds('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', device, url))
    await backend.close?.()
  }
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connect, type Xenstore } from 'xenlight/xenstore'

const folder = '/local/domain/0/through-the-device'
const paths = Array.from({ length: 50 }, (_, index) => `${folder}/${index}`)

let device: Xenstore
let socket: Xenstore

describe("the client over the kernel's device", () => {
  before(async () => {
    socket = await connect()
    await socket.rm(folder)
    device = await connect({ path: '/dev/xen/xenbus' })
  })

  after(async () => {
    await socket.rm(folder)
    await socket.close()
  })

  test('requests are pipelined through the device', async () => {
    await Promise.all(paths.map(path => device.write(path, path)))
    assert.deepEqual(await Promise.all(paths.map(path => device.read(path))), paths)
    assert.deepEqual(await Promise.all(paths.map(path => socket.read(path))), paths)
    assert.equal((await device.directory(folder)).length, paths.length)
  })

  test('what is missing or no path is an error, and the connection lives on', async () => {
    await assert.rejects(device.read(`${folder}/none`), { name: 'XenstoreError', code: 'ENOENT' })
    await assert.rejects(device.read('no path!'), { name: 'XenstoreError', code: 'EINVAL' })
    await assert.rejects(device.getFeature(), { name: 'XenstoreError', code: 'ENOSYS' })
    assert.equal(await device.read(`${folder}/1`), `${folder}/1`)
  })

  test('a packet that the kernel does not take is refused, and the connection lives on', async () => {
    // 4,096 bytes with the header, which is no part of the limit on a socket.
    const room = 4096 - 16 - 'print\0'.length - 1
    await device.control('print', ['x'.repeat(room)])
    await assert.rejects(device.control('print', ['x'.repeat(room + 1)]), { name: 'XenstoreError', code: 'E2BIG' })
    assert.equal(await device.read(`${folder}/1`), `${folder}/1`)
  })

  test('a transaction is repeated where another connection changed what it read', async () => {
    const path = `${folder}/sum`
    let other = true
    const { value, attempts } = await device.transaction(async transaction => {
      const before = await transaction.readIfPresent(path)
      if (other) await socket.write(path, 'theirs')
      other = false
      await transaction.write(path, `ours after ${before}`)
      return transaction.read(path)
    })
    assert.deepEqual([value, attempts], ['ours after theirs', 2])
    assert.equal(await socket.read(path), 'ours after theirs')
  })

  test("a watch tells of others' changes", async () => {
    const watch = device.watch(folder)
    await watch.ready
    assert.equal((await watch.next()).value?.path, folder)
    await socket.write(`${folder}/news`, '')
    assert.equal((await watch.next()).value?.path, `${folder}/news`)
    await watch.return()
    assert.equal(device.statistics.watches, 0)
  })

  test('closing ends the read that waits in the kernel, and with it the process', async () => {
    const pending = device.waitUntilExists(`${folder}/never`)
    await Promise.all([assert.rejects(pending, { name: 'XenstoreError', code: 'EBADF' }), device.close()])
    assert.equal(await device.closed, undefined)
    const again = await connect({ path: '/dev/xen/xenbus' })
    assert.equal(await again.read(`${folder}/1`), `${folder}/1`)
    await again.close()
  })
})

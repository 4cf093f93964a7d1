import t from 'tap'
import { dirtyExtents } from 'xenlight/colo'
import { blockDirtyBitmapAdd, blockdevAdd, blockExportAdd, nbdServerStart } from 'xenlight/qmp'
import { startQemu } from '../real/qemu.js'
import { realPart } from '../support/real-part.js'

const size = 1024 * 1024
const part = 64 * 1024

t.test('the parts that a bitmap marks are read from an export', async t => {
  const { qemu } = (await realPart(t, () => startQemu([]))) ?? {}
  if (qemu === undefined) return
  t.teardown(qemu.stop)
  const { client } = qemu
  const [node, name] = ['disk', 'a,b:"@1']
  const where = { host: '127.77.1.3', port: 9000, name, bitmap: 'marks' }
  await client.run(blockdevAdd, { driver: 'null-co', 'node-name': node, size })
  await client.run(blockDirtyBitmapAdd, { node, name: 'marks', granularity: part })
  const { host, port } = where
  await client.run(nbdServerStart, { addr: { type: 'inet', data: { host, port: String(port) } } })
  const marked = { 'node-name': node, name, bitmaps: ['marks'] }
  await client.run(blockExportAdd, { type: 'nbd', id: 'x', writable: true, ...marked })

  t.strictSame(await dirtyExtents(where), [])
  for (const line of ['write 64k 64k', 'write 256k 1', 'write 1023k 1k', 'write 384k 128k'])
    await qemu.monitor(`qemu-io ${node} "${line}"`)
  t.strictSame(await dirtyExtents(where, { timeout: 60_000 }), [
    { start: part, length: part },
    { start: 4 * part, length: part },
    { start: 6 * part, length: 2 * part },
    { start: size - part, length: part },
  ])
  t.strictSame(await dirtyExtents(where, { timeout: Number.POSITIVE_INFINITY }), await dirtyExtents(where))

  const unknown = { name: 'ColoError', code: 'changes-unknown', message: /^qemu-img: / }
  await t.rejects(dirtyExtents({ ...where, bitmap: 'none' }), unknown)
  await t.rejects(dirtyExtents({ ...where, name: 'none' }), unknown)
  await t.rejects(dirtyExtents({ ...where, port: 1 }), unknown)
  await t.rejects(dirtyExtents(where, { signal: AbortSignal.abort() }), unknown)
  process.kill(qemu.pid, 'SIGSTOP')
  await t.rejects(dirtyExtents(where, { timeout: 0 }), unknown, 'its time is up')
  await t.rejects(dirtyExtents(where, { timeout: 200 }), unknown)
})

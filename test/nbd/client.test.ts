import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { connectNbd, infoExport, listExports, listenNbd, MemoryBackend, openFileBackend } from 'xenlight/nbd'
import { realPart } from '../support/real-part.js'
import { needs, RunningServer } from './programs.js'
import { socketFolder } from './socket-folder.js'

const mebibyte = 1024 * 1024

t.test('nbdkit: every request', async t => {
  if ((await realPart(t, () => needs('nbdkit') ?? true)) === undefined) return
  const path = join(socketFolder(t), 's')
  await using _ = await RunningServer.start(path, 'nbdkit', '-f', '-U', path, 'memory', '80M')
  await using client = await connectNbd({ path })
  t.equal(client.size, 80 * mebibyte)
  const data = randomBytes(70 * mebibyte)
  await client.write(3, data)
  t.ok(Buffer.from(await client.read(3, data.length)).equals(data), 'more than the maximum is cut')
  await client.writeZeroes(mebibyte, 100, { fua: true })
  t.ok((await client.read(mebibyte, 100)).every(byte => byte === 0))
  await client.trim(2 * mebibyte, mebibyte)
  await client.flush()
  const extents = await client.blockStatus(0, client.size)
  t.equal(
    extents.reduce((sum, { length }) => sum + length, 0),
    client.size,
  )
  t.ok(extents.some(({ hole }) => hole))
})

t.test('nbdkit with errors, delays and block sizes', async t => {
  if ((await realPart(t, () => needs('nbdkit') ?? true)) === undefined) return
  await t.test('errors are told by their code, and the next request is served', async t => {
    const path = join(socketFolder(t), 's')
    const error = ['error=ENOSPC', 'error-pwrite-rate=1', 'error-pread=EIO', 'error-pread-rate=0']
    await using _ = await RunningServer.start(
      path,
      'nbdkit',
      '-f',
      '-U',
      path,
      '--filter=error',
      'memory',
      '1M',
      ...error,
    )
    await using client = await connectNbd({ path })
    await t.rejects(client.write(0, Buffer.alloc(10)), { name: 'NbdError', code: 'ENOSPC' })
    t.equal((await client.read(0, 10)).length, 10)
  })
  await t.test('answers in any order, and a time limit for one', async t => {
    const path = join(socketFolder(t), 's')
    await using _ = await RunningServer.start(
      path,
      'nbdkit',
      '-f',
      '-U',
      path,
      '--filter=delay',
      'memory',
      '1M',
      'rdelay=300ms',
    )
    await using client = await connectNbd({ path })
    const read = client.read(0, 10)
    await client.write(0, Buffer.alloc(10, 1))
    await t.rejects(client.read(0, 10, { timeout: 20 }), { code: 'ETIMEDOUT' })
    t.equal((await read).length, 10)
    t.equal((await client.read(0, 1))[0], 1)
  })
  await t.test('a maximum is kept to', async t => {
    const path = join(socketFolder(t), 's')
    const policy = [
      'blocksize-minimum=512',
      'blocksize-preferred=4096',
      'blocksize-maximum=64K',
      'blocksize-error-policy=error',
    ]
    await using _ = await RunningServer.start(
      path,
      'nbdkit',
      '-f',
      '-U',
      path,
      '--filter=blocksize-policy',
      'memory',
      '1M',
      ...policy,
    )
    await using client = await connectNbd({ path })
    t.strictSame(client.info.blockSizes, { minimum: 512, preferred: 4096, maximum: 65_536 })
    const data = randomBytes(mebibyte)
    await client.write(0, data)
    t.ok(Buffer.from(await client.read(0, mebibyte)).equals(data))
    await t.rejects(client.read(1, 10), { code: 'EINVAL' })
  })
})

t.test('qemu-nbd', async t => {
  if ((await realPart(t, () => needs('qemu-nbd') ?? true)) === undefined) return
  const folder = socketFolder(t)
  const path = join(folder, 's')
  const disk = join(folder, 'disk')
  await (await openFileBackend(disk, { create: 4 * mebibyte })).close?.()
  const args = ['-f', 'raw', '-t', '-k', path, '-x', 'vm', '-D', 'a disk', disk]
  await using _ = await RunningServer.start(path, 'qemu-nbd', ...args)
  t.strictSame(await listExports({ path }), ['vm'])
  t.match(await infoExport({ path }, { export: 'vm' }), { size: 4 * mebibyte, description: 'a disk' })
  await t.rejects(connectNbd({ path }, { export: 'none' }), { name: 'NbdError', code: 'refused' })
  await using client = await connectNbd({ path }, { export: 'vm' })
  const data = randomBytes(mebibyte)
  await client.write(7, data, { fua: true })
  t.ok(Buffer.from(await client.read(7, mebibyte)).equals(data))
  const extents = await client.blockStatus(0, client.size)
  t.equal(
    extents.reduce((sum, { length }) => sum + length, 0),
    client.size,
  )
})

t.test('our own server, and wrong arguments', async t => {
  const path = join(socketFolder(t), 's')
  await using server = await listenNbd({ path }, [{ name: 'a', backend: new MemoryBackend(1000) }])
  for (const ask of [connectNbd, infoExport, listExports])
    await t.rejects(async () => void (await ask({ path }, { export: 5 as unknown as string })), { name: 'TypeError' })
  const client = await connectNbd({ path }, { export: 'a' })
  t.equal(server.connections, 1, 'none of a wrong argument')
  await t.rejects(client.read(999, 2), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
  await t.rejects(client.write(0, 'x' as unknown as Uint8Array), { name: 'TypeError' })
  t.equal((await client.read(1000, 0)).length, 0)
  t.strictSame(await client.blockStatus(0, 1000), [{ length: 1000, hole: true, zero: true }])
  const last = client.write(0, Buffer.alloc(10, 1))
  await client.disconnect()
  await last
  t.equal(await client.closed, undefined)
  await t.rejects(client.flush(), { code: 'EBADF' })
  await t.rejects(connectNbd({ path: `${path}x` }), { name: 'NbdError', code: 'ENOENT' })
})

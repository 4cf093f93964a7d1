import { execFileSync } from 'node:child_process'
import fs, { symlinkSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { connectNbd, listenNbd, openFileBackend } from 'xenlight/nbd'
import { smallFileSystem } from '../colo/colo-pair.js'
import { holdsAsync } from '../support/holds.js'
import { realPart } from '../support/real-part.js'
import { socketFolder } from './socket-folder.js'

const mebibyte = 1024 * 1024

t.test('an fdatasync that fails is told, and never forgotten', async t => {
  const folder = socketFolder(t)
  const path = join(folder, 's')
  const backend = await openFileBackend(join(folder, 'disk'), { create: mebibyte })
  await using _ = await listenNbd({ path }, [{ name: '', backend }])
  await using one = await connectNbd({ path })
  await using other = await connectNbd({ path })
  await one.flush()
  const real = fs.fdatasync
  fs.fdatasync = ((_fd: number, done: (error: Error) => void) =>
    setImmediate(done, Object.assign(new Error('planted'), { code: 'ENOSPC' }))) as unknown as typeof fs.fdatasync
  syncBuiltinESMExports()
  await t.rejects(one.flush(), { code: 'ENOSPC' })
  fs.fdatasync = real
  syncBuiltinESMExports()
  await t.rejects(one.flush(), { code: 'EIO' }, 'later')
  await t.rejects(other.write(0, Buffer.alloc(1), { fua: true }), { code: 'EIO' }, 'FUA of another connection')
  await other.write(0, Buffer.alloc(1))
  await using again = await openFileBackend(join(folder, 'disk')).then(backend => ({
    flush: () => backend.flush(),
    [Symbol.asyncDispose]: async () => backend.close?.(),
  }))
  await t.resolves(Promise.resolve(again.flush()), 'opened again')
})

t.test('a file system that is full is ENOSPC for that write alone', async t => {
  const folder = await realPart(t, () => smallFileSystem(t, 512 * 1024))
  if (folder === undefined) return
  const path = join(socketFolder(t), 's')
  const backend = await openFileBackend(join(folder, 'disk'), { create: mebibyte })
  await using _ = await listenNbd({ path }, [{ name: '', backend }])
  await using client = await connectNbd({ path })
  await client.write(0, Buffer.alloc(4096, 1))
  await t.rejects(client.write(0, Buffer.alloc(mebibyte, 2)), { code: 'ENOSPC' })
  t.equal((await client.read(0, 1)).length, 1)
})

t.test('what is no disk, what is there already, what is not', async t => {
  const folder = socketFolder(t)
  await t.rejects(openFileBackend(folder), { code: 'EISDIR' })
  await t.rejects(openFileBackend('/dev/null'), { name: 'NbdError', code: 'EINVAL' })
  await t.rejects(openFileBackend(join(folder, 'none')), { code: 'ENOENT' })
  execFileSync('mkfifo', [join(folder, 'fifo')])
  for (const readOnly of [false, true])
    await t.rejects(openFileBackend(join(folder, 'fifo'), { readOnly }), { name: 'NbdError', code: 'EINVAL' })
  symlinkSync('/nowhere', join(folder, 'link'))
  await t.rejects(openFileBackend(join(folder, 'link'), { create: 1 }), { code: 'EEXIST' })
})

t.test('between the parts of long zeroes others go on where they do not overlap', async t => {
  const folder = socketFolder(t)
  const backend = await openFileBackend(join(folder, 'disk'), { create: 64 * mebibyte })
  const log: string[] = []
  const zeroed = backend.writeZeroes(0, 32 * mebibyte, { mayTrim: false })!.then(() => log.push('zeroed'))
  t.equal(backend.write(32 * mebibyte, Buffer.of(1)), undefined, 'behind them: at once')
  const inside = backend.write(31 * mebibyte, Buffer.of(2))!.then(() => log.push('inside'))
  while (backend.write(0, Buffer.of(3)) !== undefined) await new Promise(setImmediate)
  t.strictSame(log, [], 'what is zeroed already is free again')
  // which waits for what waits
  await backend.writeZeroes(30 * mebibyte, 2 * mebibyte)
  t.strictSame(log.sort(), ['inside', 'zeroed'])
  await Promise.all([zeroed, inside])
  t.strictSame(
    [0, 30, 31, 32].map(at => (backend.read(at * mebibyte, 1) as Uint8Array)[0]),
    [3, 0, 0, 1],
  )
  await backend.close?.()
})

t.test('long zeroes that nobody waits for any more end', async t => {
  const folder = socketFolder(t)
  await using backend = await opened(join(folder, 'disk'), 64 * mebibyte)
  backend.write(64 * mebibyte - 1, Buffer.of(1))
  const canceler = new AbortController()
  const zeroed = backend.writeZeroes(0, 64 * mebibyte, { signal: canceler.signal })
  canceler.abort()
  await t.rejects(Promise.resolve(zeroed), { code: 'ECANCELED' })
  t.equal((await backend.read(64 * mebibyte - 1, 1))[0], 1)
  t.equal(backend.write(0, Buffer.of(1)), undefined, 'and are in nobody’s way')
})

t.test('a file that is closed: what was under way is through, and nothing touches the descriptor again', async t => {
  const folder = socketFolder(t)
  const one = await openFileBackend(join(folder, 'one'), { create: 4 * mebibyte })
  one.write(4 * mebibyte - 1, Buffer.of(1))
  const zeroed = one.writeZeroes(0, 4 * mebibyte)
  const flushed = one.flush()
  const closed = one.close?.()
  await Promise.all([zeroed, flushed, closed])
  // has the number of the descriptor that is free now
  await using other = await opened(join(folder, 'other'), mebibyte)
  await one.close?.()
  for (const [what, use] of Object.entries({
    read: () => one.read(0, 1),
    write: () => one.write(0, Buffer.of(1)),
    zeroes: () => one.writeZeroes(0, 1),
    trim: () => one.trim(0, 1),
    flush: () => one.flush(),
  }))
    await t.rejects(async () => use(), { name: 'NbdError', code: 'EBADF' }, what)
  t.equal((await other.read(0, 1))[0], 0)
  t.equal((await fs.promises.readFile(join(folder, 'one'))).at(-1), 0)
})

async function opened(path: string, create: number) {
  const backend = await openFileBackend(path, { create })
  return Object.assign(backend, { [Symbol.asyncDispose]: async () => backend.close?.() })
}

t.test('writes that overlap long zeroes leave what one order gives, and the last answered wins', async t => {
  const folder = socketFolder(t)
  let disks = 0
  const size = 4 * mebibyte
  const place = fc.tuple(fc.nat(size - 1), fc.integer({ min: 1, max: 2 * mebibyte }))
  await holdsAsync(
    t,
    fc.asyncProperty(fc.array(fc.tuple(place, fc.boolean()), { minLength: 1, maxLength: 8 }), async changes => {
      const backend = await openFileBackend(join(folder, `disk${disks++}`), { create: size })
      const model = Buffer.alloc(size)
      const all = changes.map(([[offset, most], isZero], index) => {
        const length = Math.min(most, size - offset)
        // the backend keeps the order asked: one of those that are legal
        model.fill(isZero ? 0 : index + 1, offset, offset + length)
        if (isZero) return backend.writeZeroes(offset, length, { mayTrim: index % 2 === 0 })
        return backend.write(offset, Buffer.alloc(length, index + 1))
      })
      await Promise.all(all)
      const is = Buffer.from(await backend.read(0, size))
      await backend.close?.()
      fs.unlinkSync(join(folder, `disk${disks - 1}`))
      if (!is.equals(model)) throw new Error('another content')
    }),
    { numRuns: 40 },
  )
})

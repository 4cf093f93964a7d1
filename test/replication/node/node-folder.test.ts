import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { NodeFolder } from '#xenlight/replication/node/node-folder.js'

function newFolder(t: Test): { path: string; folder: NodeFolder } {
  const path = mkdtempSync(join(tmpdir(), 'node-folder-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return { path, folder: NodeFolder.open(join(path, 'data')) }
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

t.test('files and folders', async t => {
  const { path, folder } = newFolder(t)
  const file = folder.open('a', 'create')
  file.write(0, Buffer.from('hello'))
  file.write(100_000, Buffer.from('world'))
  t.equal(file.size, 100_005)
  const bytes = Buffer.alloc(10)
  t.equal(file.readInto(100_000, bytes), 5)
  t.equal(text(bytes.subarray(0, 5)), 'world')
  t.equal(file.readInto(200_000, bytes), 0)
  t.equal(file.readInto(50_000, bytes), 10, 'a hole is zeroes')
  file.truncate(5)
  t.equal(file.size, 5)
  await file.sync()
  file.close()
  t.throws(() => folder.open('a', 'create'), { code: 'EEXIST' })
  t.throws(() => folder.open('b', 'write'), { code: 'ENOENT' })
  t.throws(() => folder.open('b', 'read'), { code: 'ENOENT' })
  const again = folder.open('a', 'read')
  t.equal(again.readInto(0, bytes), 5)
  t.throws(() => again.write(0, bytes), 'it is for reading')
  again.close()
  const inner = folder.folder('inner')
  inner.open('c', 'create').close()
  folder.open('b', 'create').close()
  folder.rename('a', 'b')
  await folder.sync()
  t.same([[...folder.list()].sort(), folder.folders(), inner.list()], [['b'], ['inner'], ['c']])
  t.equal(readFileSync(join(path, 'data', 'b'), 'utf8'), 'hello')
  t.equal(statSync(join(path, 'data', 'b')).mode & 0o777, 0o600)
  t.equal(statSync(join(path, 'data')).mode & 0o777, 0o700)
  t.equal(statSync(join(path, 'data', 'inner')).mode & 0o777, 0o700)
  t.same(folder.folder('inner').list(), ['c'], 'the same one again')
  folder.remove('inner')
  folder.remove('b')
  t.throws(() => folder.remove('b'), { code: 'ENOENT' })
  t.same([folder.list(), folder.folders()], [[], []])
})

t.test('names that lead elsewhere', t => {
  const { path, folder } = newFolder(t)
  writeFileSync(join(path, 'secret'), 'secret')
  for (const name of ['', '.', '..', '../secret', 'a/b', '/etc/passwd', 'a\0b', 'x'.repeat(256), 'é'.repeat(128)]) {
    const bad = { name: 'ReplicationError', code: 'bad-name' }
    t.throws(() => folder.open(name, 'read'), bad, JSON.stringify(name).slice(0, 20))
    t.throws(() => folder.open(name, 'create'), bad)
    t.throws(() => folder.folder(name), bad)
    t.throws(() => folder.remove(name), bad)
    t.throws(() => folder.rename(name, 'x'), bad)
    t.throws(() => folder.rename('x', name), bad)
  }
  t.equal(readFileSync(join(path, 'secret'), 'utf8'), 'secret')
  t.end()
})

t.test('links and FIFOs in the place of what is ours', t => {
  const { path, folder } = newFolder(t)
  const at = (name: string) => join(path, 'data', name)
  writeFileSync(join(path, 'secret'), 'secret')
  mkdirSync(join(path, 'elsewhere'))
  writeFileSync(join(path, 'elsewhere', 'kept'), 'kept')
  symlinkSync(join(path, 'secret'), at('link'))
  symlinkSync(join(path, 'nowhere'), at('dangling'))
  symlinkSync(join(path, 'elsewhere'), at('folder'))
  execFileSync('mkfifo', [at('fifo')])
  t.throws(() => folder.open('link', 'read'), { code: 'ELOOP' })
  t.throws(() => folder.open('link', 'write'), { code: 'ELOOP' })
  t.throws(() => folder.open('dangling', 'create'), { code: 'EEXIST' })
  t.notOk(existsSync(join(path, 'nowhere')))
  t.throws(() => folder.folder('folder'), { code: 'ENOTDIR' })
  t.throws(() => folder.open('fifo', 'read'), { code: 'EINVAL' })
  t.throws(() => folder.open('fifo', 'write'), { code: 'EINVAL' })
  t.same([folder.list(), folder.folders()], [[], []], 'they are not listed')
  folder.remove('folder')
  t.ok(existsSync(join(path, 'elsewhere', 'kept')), 'what a link leads to is not removed')
  folder.open('x', 'create').close()
  folder.rename('x', 'link')
  t.ok(lstatSync(at('link')).isFile())
  t.equal(readFileSync(join(path, 'secret'), 'utf8'), 'secret')
  t.end()
})

t.test('the folder itself may be reached through a link', t => {
  const { path } = newFolder(t)
  symlinkSync(join(path, 'data'), join(path, 'way'))
  NodeFolder.open(join(path, 'way')).open('a', 'create').close()
  t.ok(existsSync(join(path, 'data', 'a')))
  t.throws(() => NodeFolder.open(join(path, 'data', 'a')), { code: 'ENOTDIR' })
  t.throws(() => NodeFolder.open(join(path, 'no', 'such')), { code: 'ENOENT' })
  t.end()
})

t.test('syncs', async t => {
  await t.test('many at once, and one that is closed meanwhile', async t => {
    const { folder } = newFolder(t)
    const file = folder.open('a', 'create')
    const settled: number[] = []
    const all = Array.from({ length: 20 }, (_, index) => {
      file.write(index, Buffer.from([index]))
      return file.sync().then(() => settled.push(index))
    })
    file.close()
    file.close()
    await Promise.all(all)
    t.equal(settled.length, 20)
    await t.rejects(file.sync(), { code: 'EBADF' })
    t.throws(() => file.write(0, Buffer.alloc(1)), { code: 'EBADF' })
    t.throws(() => file.size, { code: 'EBADF' })
  })

  t.test('a write that does not fit', async t => {
    // the system writes a part of it first
    const { path, folder } = newFolder(t)
    const worker = `
      const { NodeFolder } = await import(${JSON.stringify(import.meta.resolve('#xenlight/replication/node/node-folder.js'))})
      process.on('SIGXFSZ', () => {})
      const file = NodeFolder.open(process.argv[1]).open('a', 'create')
      try { file.write(0, Buffer.alloc(100_000, 7)); console.log('written') } catch (error) { console.log(error.code, file.size) }`
    const limited = [
      '-c',
      'ulimit -f 64; exec "$@"',
      'sh',
      process.execPath,
      '--input-type=module',
      '-e',
      worker,
      join(path, 'data'),
    ]
    t.match(execFileSync('sh', limited, { encoding: 'utf8' }), /^EFBIG (?:32768|65536)\n$/)
    t.same(folder.list(), ['a'])
  })
})

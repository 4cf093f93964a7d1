import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import t, { type Test } from 'tap'
import { type RecordStore, recordFolder, recordsBeside } from 'xenlight/colo'
import { realPart } from '../support/real-part.js'
import { smallFileSystem } from './colo-pair.js'

function folder(t: Test): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'records-')))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

/** Both stores, and where each keeps the record of the image. */
const stores: [name: string, make: (at: string) => { store: RecordStore; image: string; path: () => string }][] = [
  [
    'a folder',
    at => {
      const records = join(at, 'records')
      const path = () => join(records, readdirSync(records).find(name => name.endsWith('.json')) ?? 'none')
      return { store: recordFolder(records), image: '/images/a', path }
    },
  ],
  [
    'beside its image',
    at => {
      const image = join(at, 'a')
      return { store: recordsBeside([image]), image, path: () => `${image}.colo.json` }
    },
  ],
]

for (const [name, make] of stores) {
  t.test(`${name}: what is written is read`, async t => {
    const { store, image, path } = make(folder(t))
    t.equal(await store.read(image), undefined)
    await store.write(image, 'one é\n')
    t.equal(await store.read(image), 'one é\n')
    await store.write(image, 'two')
    t.equal(await store.read(image), 'two')
    t.equal(readFileSync(path(), 'utf8'), 'two')
    t.equal(statSync(path()).mode & 0o777, 0o600, 'nobody else reads it')
    t.strictSame(readdirSync(join(path(), '..')).length, 1, 'no draft is left')
  })

  t.test(`${name}: two who write at once leave the text of one, whole`, async t => {
    const at = folder(t)
    const [{ store: one, image, path }, { store: other }] = [make(at), make(at)]
    const texts = Array.from({ length: 20 }, (_, index) => `${index} `.repeat(10_000))
    await one.write(image, texts[0]!)
    let isOver = false
    const reading = (async () => {
      let reads = 0
      for (; !isOver; reads++) {
        const text = await one.read(image)
        if (!texts.includes(text!)) t.fail(`a text of ${text?.length} characters is no one's`)
      }
      return reads
    })()
    await Promise.all(texts.map((text, index) => (index % 2 === 0 ? one : other).write(image, text)))
    isOver = true
    t.ok((await reading) > 0)
    t.ok(texts.includes((await one.read(image))!))
    t.strictSame(readdirSync(join(path(), '..')).length, 1, 'no draft is left')
  })

  t.test(`${name}: a draft that a crash left does not hinder, and a link is not written through`, async t => {
    const at = folder(t)
    const { store, image, path } = make(at)
    await store.write(image, 'one')
    const other = join(at, 'other')
    writeFileSync(other, 'mine')
    symlinkSync(other, `${path()}.new`)
    await store.write(image, 'two')
    t.equal(await store.read(image), 'two')
    rmSync(`${path()}.new`)
    writeFileSync(`${path()}.new`, 'half')
    await store.write(image, 'three')
    t.equal(await store.read(image), 'three')
    const record = path()
    rmSync(record)
    symlinkSync(other, record)
    await store.write(image, 'four')
    t.equal(await store.read(image), 'four')
    t.equal(readFileSync(other, 'utf8'), 'mine')
  })

  t.test(`${name}: damage is given as it is, and what is too large is not`, async t => {
    const { store, image, path } = make(folder(t))
    await store.write(image, 'one')
    const record = path()
    writeFileSync(record, Buffer.from([0xff, 0, 0x7b]))
    t.equal(await store.read(image), '\ufffd\0{')
    writeFileSync(record, 'x'.repeat(65_536))
    t.equal((await store.read(image))?.length, 65_536)
    writeFileSync(record, 'x'.repeat(65_537))
    t.equal(await store.read(image), '', 'no record')
    await store.write(image, 'é'.repeat(32_768))
    t.equal((await store.read(image))?.length, 32_768)
    await t.rejects(store.write(image, 'é'.repeat(32_769)), { name: 'ColoError', code: 'record', message: /65536/ })
    t.equal((await store.read(image))?.length, 32_768, 'the old one is there')
    // more than a string can hold
    truncateSync(record, 2 ** 40)
    t.equal(await store.read(image), '')
  })

  t.test(`${name}: what cannot be read or written is an error`, async t => {
    const { store, image, path } = make(folder(t))
    await store.write(image, 'one')
    const record = path()
    rmSync(record)
    mkdirSync(record)
    await t.rejects(store.read(image), { name: 'ColoError', code: 'record', message: /cannot read.*EISDIR/ })
    await t.rejects(store.write(image, 'two'), { name: 'ColoError', code: 'record', message: /cannot write/ })
    t.strictSame(readdirSync(join(record, '..')).length, 1, 'no draft is left')
  })

  t.test(`${name}: a full file system keeps the old text`, async t => {
    const at = await realPart(t, () => smallFileSystem(t, 32 * 1024))
    if (at === undefined) return
    const { store, image, path } = make(at)
    await store.write(image, 'one')
    const full = store.write(image, 'x'.repeat(64 * 1024))
    await t.rejects(full, { name: 'ColoError', code: 'record', message: /ENOSPC/ })
    t.equal(await store.read(image), 'one')
    t.strictSame(readdirSync(join(path(), '..')).length, 1, 'no draft is left')
  })
}

t.test('a folder is made, for its owner only, and not where there is a file', async t => {
  const at = folder(t)
  const deep = join(at, 'a/b/c')
  const store = recordFolder(deep)
  t.equal(await store.read('/i'), undefined)
  t.strictSame(readdirSync(at), [], 'to read makes nothing')
  await store.write('/i', 'one')
  t.equal(statSync(deep).mode & 0o777, 0o700)
  chmodSync(deep, 0o750)
  await store.write('/i', 'two')
  t.equal(statSync(deep).mode & 0o777, 0o750, 'one that is there stays as it is')
  t.equal(await recordFolder(relative(process.cwd(), deep)).read('/i'), 'two')
  writeFileSync(join(at, 'file'), '')
  const nowhere = recordFolder(join(at, 'file', 'x'))
  await t.rejects(nowhere.write('/i', 'one'), { name: 'ColoError', code: 'record', message: /cannot make the folder/ })
  await t.rejects(nowhere.read('/i'), { name: 'ColoError', code: 'record' })
})

t.test("an image's name, whatever a QEMU says, leads nowhere else", async t => {
  const at = folder(t)
  const records = join(at, 'records')
  const store = recordFolder(records)
  const names = ['', '..', '../x', '/etc/x', '../../x\0', 'json:{"driver":"raw"}', 'a'.repeat(5000), 'a', './a']
  for (const name of names) await store.write(name, name)
  for (const name of names) t.equal(await store.read(name), name)
  t.strictSame(readdirSync(at), ['records'])
  t.equal(readdirSync(records).length, names.length)
  for (const file of readdirSync(records)) t.match(file, /^[0-9a-f]{64}\.json$/)
})

t.test('beside images: none but those that were said', async t => {
  const at = folder(t)
  const [image, other] = [join(at, 'a'), join(at, 'b')]
  const before = process.cwd()
  process.chdir(at)
  t.teardown(() => process.chdir(before))
  const store = recordsBeside(['./a'])
  await store.write(image, 'one')
  for (const name of [other, '', 'a', `${at}/x/../a`, `${at}/./a`, `${image}/../b`, '/nonexistent/x', `${image}\0`]) {
    await t.rejects(store.read(name), { name: 'ColoError', code: 'record', message: /which was not said/ })
    await t.rejects(store.write(name, 'two'), { name: 'ColoError', code: 'record', message: /which was not said/ })
  }
  t.strictSame(readdirSync(at), ['a.colo.json'])
  const nowhere = recordsBeside([join(at, 'none', 'a')])
  await t.rejects(nowhere.write(join(at, 'none', 'a'), 'x'), { code: 'record', message: /ENOENT/ })
})

t.test('what a terminal would obey is no part of a reason', async t => {
  const image = '/nonexistent/\x1b[31m'
  const error = await recordsBeside([image])
    .write(image, 'x')
    .catch(error => error as Error)
  t.match(error, { message: /\u241b\[31m/ })
  t.notMatch((error as Error).message, '\x1b')
})

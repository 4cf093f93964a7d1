import { execFileSync } from 'node:child_process'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import t from 'tap'
import { prepareOverlays } from 'xenlight/colo'
import { realPart } from '../support/real-part.js'
import { smallFileSystem } from './colo-pair.js'
import { create, mib, place, qemuImg, refusal } from './overlay-place.js'

t.test('overlays of the right size are made', async t => {
  const made = await realPart(t, () => place(t))
  if (made === undefined) return
  const { folder, active, hidden } = made
  const [raw, qcow2, odd] = [join(folder, 'raw'), join(folder, 'qcow2'), join(folder, 'odd')]
  writeFileSync(raw, '')
  truncateSync(raw, 3 * mib)
  create(qcow2, 5 * mib)
  // QEMU counts in sectors
  writeFileSync(odd, 'x'.repeat(1000))
  const sizes: [size: Parameters<typeof prepareOverlays>[0][number]['size'], bytes: number][] = [
    [512, 512],
    [7 * mib, 7 * mib],
    [{ image: raw, format: 'raw' }, 3 * mib],
    [{ image: qcow2, format: 'qcow2' }, 5 * mib],
    [{ image: odd, format: 'raw' }, 1024],
  ]
  for (const [size, bytes] of sizes) {
    await prepareOverlays([{ active, hidden, size }])
    for (const file of [active, hidden]) {
      const info = JSON.parse(qemuImg('info', '--output=json', file))
      t.match(info, { format: 'qcow2', 'virtual-size': bytes })
      t.equal(info['backing-filename'], undefined)
      t.match(qemuImg('check', file), 'No errors')
    }
    const before = [readFileSync(active), readFileSync(hidden), statSync(active).mtimeMs]
    await prepareOverlays([{ active, hidden, size }])
    t.strictSame([readFileSync(active), readFileSync(hidden), statSync(active).mtimeMs], before, 'left as they are')
    rmSync(hidden)
    await prepareOverlays([{ active, hidden, size }])
    t.equal(statSync(active).mtimeMs, before[2], 'only what is missing is made')
    t.equal(JSON.parse(qemuImg('info', '--output=json', hidden))['virtual-size'], bytes)
    for (const file of [active, hidden]) rmSync(file)
  }
  t.strictSame(readdirSync(folder).sort(), ['odd', 'qcow2', 'raw'])
})

t.test('names that qemu-img would take for something else', async t => {
  const made = await realPart(t, () => place(t))
  if (made === undefined) return
  const { folder } = made
  const names = ['nbd:x', 'json:{}', '-f', 'a,b', 'a b', 'é\n']
  const paths = names.flatMap(name => [name, join(folder, 'a', name)])
  for (const path of ['r', 'a']) mkdirSync(join(folder, path))
  const before = process.cwd()
  process.chdir(join(folder, 'r'))
  t.teardown(() => process.chdir(before))
  const overlays = paths.map(active => ({ active, hidden: `${active}-hidden`, size: mib }))
  await prepareOverlays(overlays)
  await prepareOverlays(overlays)
  for (const path of ['r', 'a']) t.equal(readdirSync(join(folder, path)).length, 2 * names.length)
})

t.test('one file for two', async t => {
  const made = await realPart(t, () => place(t))
  if (made === undefined) return
  const { folder, active, hidden } = made
  const [image, link, other] = [join(folder, 'image'), join(folder, 'link'), join(folder, 'other')]
  create(image, mib)
  symlinkSync(folder, link)
  const refused = refusal(/already: name one file for each/)
  const size = mib
  const pairs: Parameters<typeof prepareOverlays>[0][] = [
    [{ active, hidden: active, size }],
    [{ active, hidden: `${folder}/./active`, size }],
    [{ active, hidden: join(link, 'active'), size }],
    [{ active, hidden: relative(process.cwd(), active), size }],
    [
      { active, hidden, size },
      { active: other, hidden: active, size },
    ],
    // an empty image would do for an overlay of its own
    [{ active: image, hidden, size: { image, format: 'qcow2' } }],
    [{ active, hidden: join(link, 'image'), size: { image, format: 'qcow2' } }],
  ]
  for (const overlays of pairs) await t.rejects(prepareOverlays(overlays), refused)
  t.strictSame(readdirSync(folder).sort(), ['image', 'link'])
  create(active, mib)
  linkSync(active, hidden)
  await t.rejects(prepareOverlays([{ active, hidden, size }]), refused, 'two names in the folder')
  // disks of the same image are the caller's affair
  await prepareOverlays([{ active: other, hidden: `${other}2`, size: { image, format: 'qcow2' } }])
})

t.test('an image whose size cannot be asked for', async t => {
  const made = await realPart(t, () => place(t))
  if (made === undefined) return
  const { folder, active, hidden } = made
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  writeFileSync(join(folder, 'text'), 'x')
  const images: [image: string, message: RegExp][] = [
    [join(folder, 'none'), /ENOENT/],
    [folder, /that is no file/],
    [pipe, /that is no file/],
    [join(folder, 'text'), /not in qcow2 format/],
  ]
  for (const [image, message] of images)
    await t.rejects(prepareOverlays([{ active, hidden, size: { image, format: 'qcow2' } }]), refusal(message))
  t.strictSame(readdirSync(folder).sort(), ['pipe', 'text'])
})

t.test('what fails in the middle leaves nothing behind', async t => {
  const made = await realPart(t, () => place(t))
  if (made === undefined) return
  const { folder, active, hidden } = made
  const missing = join(folder, 'none', 'hidden')
  await t.rejects(prepareOverlays([{ active, hidden: missing, size: mib }]), refusal(/ENOENT/))
  t.strictSame(readdirSync(folder), [])
  await t.rejects(prepareOverlays([{ active, hidden: join(folder, 'x'.repeat(300)), size: mib }]), {
    ...refusal(/ENAMETOOLONG/),
  })
  t.strictSame(readdirSync(folder), [])
  const small = await realPart(t, () => smallFileSystem(t, 64 * 1024))
  if (small === undefined) return
  const there = join(small, 'there')
  writeFileSync(there, 'x')
  const full = prepareOverlays([
    { active, hidden, size: mib },
    { active: join(small, 'active'), hidden: join(small, 'hidden'), size: mib },
  ])
  await t.rejects(full, refusal(/No space left/))
  t.strictSame([readdirSync(folder), readdirSync(small)], [[], ['there']])
})

t.test('without qemu-img', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'overlays-'))
  const env: { PATH?: string | undefined } = process.env
  const { PATH } = env
  env.PATH = folder
  t.teardown(() => {
    env.PATH = PATH
    rmSync(folder, { recursive: true })
  })
  const overlays = [{ active: join(folder, 'a'), hidden: join(folder, 'h'), size: mib }]
  await t.rejects(prepareOverlays(overlays), refusal(/install qemu-utils/))
  t.strictSame(readdirSync(folder), [])
})

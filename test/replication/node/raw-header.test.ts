import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t, { type Test } from 'tap'
import { makeRawHeader } from '#xenlight/replication/node/raw-header.js'
import { needs } from '../../nbd/programs.js'
import { socketFolder } from '../../nbd/socket-folder.js'
import { startQemu } from '../../real/qemu.js'
import { diskImages } from '../../support/disk-images.js'
import { realPart } from '../../support/real-part.js'

const isHere = (t: Test) =>
  realPart(t, () => {
    needs('qemu-img')
    return true
  })

const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** A raw image that begins as a qcow2 does that names another file: what a guest could write. */
function hostileImage(folder: string, name: string, size: number): string {
  const image = join(folder, name)
  const header = join(folder, 'of-the-guest')
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', '/etc/passwd', header, '1M'])
  writeFileSync(image, readFileSync(header))
  truncateSync(image, size)
  return image
}

t.test('names that QEMU could take for something else, and a disk of no whole cluster', async t => {
  if ((await isHere(t)) === undefined) return
  const folder = socketFolder(t)
  const odd = join(folder, 'nbd:a,b=c "{x}')
  mkdirSync(odd)
  for (const [name, size] of [
    ['file:x,y=z.img', 3 * 65_536 + 1536],
    ['-o,preallocation=full', 512],
    ['json:{"driver":"null-co"}', 1024 * 1024],
    ['ä\n\\', 4 * 1024 * 1024],
  ] as const) {
    const image = hostileImage(odd, name, size)
    const header = join(odd, `${name}.qcow2`)
    const before = digest(image)
    const made = await makeRawHeader({ image: relative(process.cwd(), image), header, node: 'disk-1' })
    t.match(made, { image, header, size, node: 'disk-1', arguments: ['-blockdev', /./] }, 'both from the root')
    t.equal(digest(image), before, 'the image is as it was')
    t.strictSame(
      readdirSync(odd).filter(one => one.startsWith(`${name}.`)),
      [`${name}.qcow2`],
      'nothing else is left',
    )
    const blockdev = JSON.parse(made.arguments[1]!)
    const { qemu, refusal } = await startQemu(['-m', '16', ...made.arguments, '-device', 'ide-hd,drive=disk-1,id=dev'])
    t.equal(refusal, undefined, JSON.stringify(blockdev))
    if (qemu === undefined) return
    t.teardown(qemu.stop)
    const shown =
      await qemu.qmp<{ 'node-name': string; image: { 'virtual-size': number } }[]>('query-named-block-nodes')
    t.equal(shown.find(node => node['node-name'] === 'disk-1')?.image['virtual-size'], size)
    t.equal(await qemu.monitor(`qemu-io -d dev "write -P 7 ${size - 512} 512"`), '')
    await qemu.quit()
    t.equal(statSync(image).size, size, 'it has not grown')
    const last = readFileSync(image).subarray(-512)
    t.ok(
      last.every(byte => byte === 7),
      'what is written through the header is in the image',
    )
    // by itself, too: the header names the image
    const info = JSON.parse(
      execFileSync('qemu-img', ['info', '--output=json', '-f', 'qcow2', header], { encoding: 'utf8' }),
    )
    t.match(info['format-specific'].data, { 'data-file': image, 'data-file-raw': true })
  }
})

t.test('nothing is written over, by two at a time either', async t => {
  if ((await isHere(t)) === undefined) return
  const folder = socketFolder(t)
  const image = join(folder, 'disk')
  writeFileSync(image, Buffer.alloc(65_536, 1))
  const header = join(folder, 'header')
  const both = await Promise.allSettled([1, 2, 3].map(() => makeRawHeader({ image, header, node: 'disk' })))
  t.strictSame(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected'])
  const before = digest(header)
  await t.rejects(makeRawHeader({ image, header, node: 'disk' }), {
    code: 'in-use',
    message: /header is there already/,
  })
  await t.rejects(makeRawHeader({ image, header: image, node: 'disk' }), { code: 'in-use' })
  t.equal(digest(header), before)
  t.ok(readFileSync(image).equals(Buffer.alloc(65_536, 1)))
  t.strictSame(readdirSync(folder).sort(), ['disk', 'header'])
})

t.test('what cannot be', async t => {
  const folder = socketFolder(t)
  const at = (name: string) => join(folder, name)
  mkdirSync(at('folder'))
  for (const [name, size] of [
    ['empty', 0],
    ['odd', 1000],
    ['good', 512],
  ] as const) {
    writeFileSync(at(name), '')
    truncateSync(at(name), size)
  }
  const cases: [image: string, header: string, node: string, code: string][] = [
    [at('none'), at('h'), 'disk', 'not-found'],
    [at('folder'), at('h'), 'disk', 'wrong-state'],
    ['/dev/null', at('h'), 'disk', 'wrong-state'],
    [at('empty'), at('h'), 'disk', 'wrong-state'],
    [at('odd'), at('h'), 'disk', 'wrong-state'],
    [at('good'), at('none/h'), 'disk', 'file-failed'],
    ...['', '1', 'a,b', 'x'.repeat(32), '#block1', 'ä'].map(
      node => [at('good'), at('h'), node, 'bad-name'] as [string, string, string, string],
    ),
  ]
  for (const [image, header, node, code] of cases)
    await t.rejects(makeRawHeader({ image, header, node }), { code }, `${image} ${header} ${node}`)
  t.strictSame(readdirSync(folder).sort(), ['empty', 'folder', 'good', 'odd'])
})

t.test('a block device', async t => {
  if ((await isHere(t)) === undefined) return
  using images = diskImages()
  const image = images.blockDevice()
  if (image === undefined) {
    t.plan(0, 'it needs a loop device, which only root can make')
    return
  }
  const made = await makeRawHeader({ image, header: join(socketFolder(t), 'h'), node: 'disk' })
  t.match(made, { image, size: 1024 * 1024 })
  t.match(JSON.parse(made.arguments[1]!), { driver: 'qcow2', 'data-file': { driver: 'host_device', filename: image } })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { realPart } from '../support/real-part.js'
import { type QemuBinary, startQemu } from './qemu.js'

const directory = mkdtempSync(join(tmpdir(), 'qemu-'))
const image = join(directory, 'disk.raw')
writeFileSync(image, Buffer.alloc(65_536))
t.teardown(() => rmSync(directory, { recursive: true }))

const drive = ['-drive', `file=${image},if=ide,index=0,format=raw`]

for (const binary of ['qemu-system-x86_64', 'xen-qemu-system-i386'] satisfies QemuBinary[])
  t.test(`${binary} answers, and shows what it has open`, async t => {
    const started = await realPart(t, () => startQemu(drive, { binary }))
    if (started === undefined) return
    const { qemu, refusal } = started
    if (qemu === undefined) {
      t.fail(refusal)
      return
    }
    t.match(await Promise.all([qemu.qmp('query-status'), qemu.qmp('query-block')]), [
      { running: false },
      [{ inserted: { file: image } }],
    ])
    t.match(await qemu.monitor('info block'), /ide0-hd0 .*disk\.raw \(raw\)/)
    t.strictSame([qemu.openFiles(directory), qemu.openFiles(`${directory}/no`)], [[image], []])
    await t.rejects(qemu.qmp('query-nothing'), { name: 'QmpError', errorClass: 'CommandNotFound' })

    await qemu.stop()
    await t.rejects(qemu.qmp('query-status'), { name: 'QmpError', code: 'ECONNRESET' })
    t.throws(() => process.kill(qemu.pid, 0), { code: 'ESRCH' }, 'it is gone')
  })

t.test('QEMU says why it refuses', async t => {
  const started = await realPart(t, () => startQemu(['-drive', 'file=missing,if=ide,format=raw'], { cwd: directory }))
  if (started === undefined) return
  t.match(started.refusal, /Could not open 'missing': No such file or directory/)
})

t.test('what QEMU tells unasked is kept', async t => {
  const started = await realPart(t, () => startQemu([]))
  if (started?.qemu === undefined) return
  await using qemu = started.qemu
  await qemu.qmp('cont')
  await qemu.qmp('stop')
  t.match(
    qemu.events.map(({ name }) => name),
    ['RESUME', 'STOP'],
  )
})

t.test('many commands at once are answered in order, and one out of band passes them', async t => {
  const started = await realPart(t, () => startQemu(drive))
  if (started?.qemu === undefined) return
  await using qemu = started.qemu
  const order: string[] = []
  const inBand = Array.from({ length: 100 }, async (_, index) => {
    await qemu.qmp('query-block')
    order.push(String(index))
  })
  // there is no migration to recover: which QEMU says at once
  const outOfBand = qemu.qmpOutOfBand('migrate-recover', { uri: 'tcp:127.0.0.1:1' })
  await t.rejects(outOfBand, { name: 'QmpError', errorClass: 'GenericError' })
  const before = order.length
  await Promise.all(inBand)
  t.ok(before < inBand.length, 'it did not wait')
  t.strictSame(
    order,
    inBand.map((_, index) => String(index)),
  )
})

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ColoError, type ColoErrorCode, type DiskState } from 'xenlight/colo'
import { exitStatus, exitStatuses, statusOf } from '#xenlight/xl-colo/exit-status.js'
import { openRecords } from '#xenlight/xl-colo/records.js'
import { Refusal, withStatus } from '#xenlight/xl-colo/refusal.js'
import { FakeIo, runWith } from './fake-io.js'

t.test('the worst disk decides', async t => {
  const order: DiskState['kind'][][] = [
    ['protected'],
    ['syncing'],
    ['degraded'],
    ['unprotected'],
    ['outdated'],
    ['failing-over', 'failed-over'],
    ['unknown'],
    ['inconsistent'],
    ['fenced'],
  ]
  t.equal(statusOf([], false), 0)
  t.equal(statusOf(['protected', 'protected'], false), 0)
  for (const [index, kinds] of order.entries())
    for (const kind of kinds)
      for (const less of order.slice(0, index + 1).flat()) {
        const alone = statusOf([kind], false)
        t.equal(statusOf([less, kind], false), alone)
        t.equal(statusOf([kind, less, less], false), alone)
      }
  t.equal(new Set(order.map(([kind]) => statusOf([kind!], false))).size, order.length, 'one each')
  t.equal(statusOf(['protected'], true), exitStatus('fenced'), 'split brain')
})

t.test('no exit status stands for two things', async t => {
  const numbers = Object.values(exitStatuses).map(([number]) => number)
  t.equal(new Set(numbers).size, numbers.length)
  t.ok(numbers.every(number => number >= 0 && number < 256))
})

for (const [code, status] of [
  ['old-epoch', 'oldEpoch'],
  ['not-promotable', 'notPromotable'],
  ['size-differs', 'refused'],
  ['split-brain', 'refused'],
  ['overlay', 'refused'],
] as [ColoErrorCode, keyof typeof exitStatuses][])
  t.test(`ColoError ${code} ends with ${status}`, async t => {
    t.match(withStatus(new ColoError(code, 'why')), { name: 'Refusal', status, message: 'why' })
  })

t.test('other errors stay what they are', async t => {
  const errors = [new ColoError('failover-failed', 'x'), new ColoError('not-proved', 'x'), new Error('x'), 'x']
  for (const error of errors) t.equal(withStatus(error), error)
})

t.test('a QEMU that is not there', async t => {
  const socket = join(t.testdir({}), 'none')
  const ends = ['--primary', socket, '--secondary', socket]
  const gone = /the primary: no connection to QEMU at .*none: no such socket/
  t.match(await runWith(['start', ...ends, '--listen', 'h:1']), { status: 1, stdout: '', stderr: gone })
  t.match(await runWith(['checkpoint', ...ends]), { status: 1, stderr: gone })
  t.match(await runWith(['stop', ...ends]), { status: 1, stderr: gone })
  t.match(await runWith(['status', ...ends]), { status: 1, stderr: /no connection/ })
  t.match(await runWith(['status', '--domid', '5', '--disk', 'd']), { status: 1, stderr: /qmp-libxl-5/ })
  t.match(await runWith(['failover', ...ends]), { status: 1, stderr: /the secondary: no connection/ })
})

t.test('a reader that has gone', async t => {
  t.match(await runWith(['--help'], { failing: 'EPIPE' }), { status: 141, stderr: '' })
  t.match(await runWith(['--help'], { failing: 'ENOSPC' }), { status: 1, stderr: /standard output/ })
})

t.test('help, version, completion', async t => {
  t.match(await runWith(['-h']), { status: 0, stdout: /^Usage: xl-colo VERB/, stderr: '' })
  t.match(await runWith(['--version']), { status: 0, stdout: /^xl-colo \d+\.\d+\.\d+/ })
  for (const shell of ['bash', 'zsh', 'fish'])
    t.match(await runWith(['--completion', shell]), { status: 0, stdout: new RegExp(`# ${shell} completion`) })
})

t.test('records are kept where the user may keep them', async t => {
  const home = t.testdir({})
  const written = async (env: object) => {
    await openRecords(undefined, new FakeIo([], { env })).primary.write('/image', 'x')
  }
  await written({ HOME: home })
  t.ok(existsSync(join(home, '.local/state/xenlight/colo')))
  await written({ HOME: home, XDG_STATE_HOME: join(home, 'state') })
  t.ok(existsSync(join(home, 'state/xenlight/colo')))
  await written({ HOME: home, XDG_STATE_HOME: 'relative' })
  t.notOk(existsSync('relative'))
  t.throws(() => openRecords(undefined, new FakeIo([], { env: {} })), { name: 'Refusal', message: /--records DIR/ })
  t.ok(new Refusal('refused', '') instanceof Error)
})

t.test('one folder serves both sides, unless their images have the same path', async t => {
  const io = new FakeIo([])
  const folder = t.testdir({})
  const both = { primary: folder, secondary: folder }
  const { primary, secondary } = openRecords(both, io)
  await primary.write('/a', 'of the primary')
  await secondary.write('/b', 'of the secondary')
  t.equal(await primary.read('/a'), 'of the primary')
  await t.rejects(secondary.read('/a'), { code: 'record', message: /--records DIR,DIR2/ })
  await t.rejects(primary.write('/b', 'x'), { code: 'record' })
  const later = openRecords(both, io)
  t.equal(await later.secondary.read('/a'), 'of the primary', 'the roles may change')
  const apart = openRecords({ primary: folder, secondary: join(folder, 'other') }, io)
  await apart.secondary.write('/a', 'of another host')
  t.equal(await apart.primary.read('/a'), 'of the primary')
})

import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { parseVdev } from 'xenlight'
import type { Qmp } from 'xenlight/qmp'
import { primaryState } from '#xenlight/colo/graph/primary-state.js'
import { secondaryState } from '#xenlight/colo/graph/secondary-state.js'
import type { LibxlReport } from '#xenlight/colo/libxl-exact/conversation.js'
import {
  checkpoint,
  failOver,
  type LibxlStartOptions,
  startPrimary,
  startSecondary,
  tearDownPrimary,
} from '#xenlight/colo/libxl-exact/sequence.js'
import { viewBlocks } from '#xenlight/qmp/block-view.js'
import { QmpError } from '#xenlight/qmp/qmp-error.js'
import { forms } from '../dm-args/real-qemu/forms.js'
import { realPart } from '../support/real-part.js'
import { contents, type ImageFormat, onEach, type QemuPair, qemuPair } from './colo-pair.js'
import { tcpProxy } from './tcp-proxy.js'

const kib = 1024

/** A monitor that notes what it is sent, and refuses some of it. */
function scripted(name: string, log: unknown[], answers: Record<string, unknown> = {}): Qmp {
  const run = async (command: { name: string; reply: (value: unknown) => unknown }, args?: object) => {
    log.push([name, command.name, ...(args === undefined ? [] : [args])])
    const { [command.name]: answer = command.name === 'human-monitor-command' ? '' : {} } = answers
    if (answer instanceof Error) throw answer
    return command.reply(answer)
  }
  return { run } as unknown as Qmp
}

const at = { host: '192.0.2.7', port: 9000 }
const two: LibxlStartOptions = {
  ...at,
  disks: [
    { name: 'colo-hda', devid: 768 },
    { name: 'colo-sdb', devid: 2064 },
  ],
}
const start = ['s', 'nbd-server-start', { addr: { type: 'inet', data: { host: '192.0.2.7', port: '9000' } } }]
const driveAdd = (name: string, devid: number) => [
  'p',
  'human-monitor-command',
  {
    'command-line':
      'drive_add -n buddy driver=replication,mode=primary,file.driver=nbd,file.host=192.0.2.7,file.port=9000,' +
      `file.export=${name},node-name=colo_node${devid}`,
  },
]
const refused = (command: string) => new QmpError('refused', 'no', { command, description: 'no' })

t.test('what is sent is what libxl sends', async t => {
  const log: unknown[] = []
  const primary = scripted('p', log, { 'query-xen-replication-status': { error: false } })
  const secondary = scripted('s', log)
  const reports = [
    await startSecondary(secondary, two),
    await startPrimary(primary, two),
    await checkpoint({ primary, secondary }),
    await tearDownPrimary(primary, two),
    await failOver(secondary, two),
  ]
  t.strictSame(log, [
    start,
    ['s', 'nbd-server-add', { device: 'colo-hda', writable: true }],
    ['s', 'nbd-server-add', { device: 'colo-sdb', writable: true }],
    ['s', 'xen-set-replication', { enable: true, primary: false }],
    driveAdd('colo-hda', 768),
    ['p', 'x-blockdev-change', { parent: 'colo-hda', node: 'colo_node768' }],
    driveAdd('colo-sdb', 2064),
    ['p', 'x-blockdev-change', { parent: 'colo-sdb', node: 'colo_node2064' }],
    ['p', 'xen-set-replication', { enable: true, primary: true }],
    ['p', 'query-xen-replication-status'],
    ['s', 'xen-colo-do-checkpoint'],
    ['p', 'xen-colo-do-checkpoint'],
    ['p', 'xen-set-replication', { enable: false, primary: true }],
    ['p', 'x-blockdev-change', { parent: 'colo-hda', child: 'children.1' }],
    ['p', 'x-blockdev-change', { parent: 'colo-sdb', child: 'children.1' }],
    ['s', 'xen-set-replication', { enable: false, primary: false }],
    ['s', 'nbd-server-stop'],
    ['s', 'nbd-server-stop'],
  ])
  t.strictSame(
    reports.map(({ believed }) => believed),
    [true, true, true, true, true],
  )
})

t.test('where libxl ends its attempt, and where it goes on', async t => {
  const sent = async (step: (qmp: Qmp) => Promise<LibxlReport>, answers: Record<string, unknown>) => {
    const log: unknown[][] = []
    const { believed } = await step(scripted('q', log, answers))
    return [believed, ...log.map(([, command]) => command)]
  }
  const secondary = (qmp: Qmp) => startSecondary(qmp, two)
  const primary = (qmp: Qmp) => startPrimary(qmp, two)
  const both = (qmp: Qmp) => checkpoint({ primary: qmp, secondary: qmp })
  const no = (...commands: string[]) => Object.fromEntries(commands.map(command => [command, refused(command)]))
  const [serve, offer, hmp, change] = [
    'nbd-server-start',
    'nbd-server-add',
    'human-monitor-command',
    'x-blockdev-change',
  ]
  const [set, status, commit] = ['xen-set-replication', 'query-xen-replication-status', 'xen-colo-do-checkpoint']
  t.strictSame(await sent(secondary, no(serve!)), [false, serve, serve], 'tried again for the second disk')
  t.strictSame(await sent(secondary, no(offer!)), [false, serve, offer, offer])
  t.strictSame(await sent(primary, no(change!)), [false, hmp, change, hmp, change])
  t.strictSame(await sent(primary, { [hmp!]: 'Duplicate nodes\r\n' }), [true, hmp, change, hmp, change, set])
  t.strictSame(await sent(both, no(status!)), [false, status])
  const bad = { [status!]: { error: true, desc: 'I/O error occurred' } }
  t.strictSame(await sent(both, bad), [true, status, commit, commit], 'the error in the reply is not read')
  t.strictSame(await sent(both, { ...bad, ...no(commit!) }), [false, status, commit, commit])
  t.strictSame(await sent(qmp => failOver(qmp, two), no(set!)), [true, set, 'nbd-server-stop', 'nbd-server-stop'])
  t.strictSame(await sent(qmp => tearDownPrimary(qmp, two), no(set!, change!)), [true, set, change, change])
})

t.test('whoever gives up has nothing more sent', async t => {
  const log: unknown[] = []
  const given = startSecondary(scripted('s', log, { 'nbd-server-start': new QmpError('ECANCELED', 'given up') }), two)
  await t.rejects(given, { code: 'ECANCELED' })
  t.equal(log.length, 1)
})

t.test('a text that would be an option or a word is refused before anything is sent', async t => {
  const log: unknown[] = []
  const primary = scripted('p', log)
  for (const host of ['', 'a,file.port=1', 'a b', 'a\tb', 'a\nb', 'a\0b', 'a"b', 'ä'])
    await t.rejects(startPrimary(primary, { ...two, host }), { name: 'TypeError' }, JSON.stringify(host))
  for (const name of ['', '0disk', 'x,readonly=on', 'a b', 'a\n', 'a"b', 'a/b'])
    await t.rejects(startPrimary(primary, { ...two, disks: [...two.disks, { name, devid: 1 }] }), { name: 'TypeError' })
  for (const port of [0, -1, 2 ** 31]) await t.rejects(startPrimary(primary, { ...two, port }), { name: 'RangeError' })
  t.strictSame(log, [])
  for (const host of ['::1', 'fe80::1%eth0', 'secondary_1.example', '[::1]'])
    t.match(await startPrimary(primary, { ...two, host }), { believed: true })
})

/** A pair that libxl takes for protected, through a link that can be cut. */
async function libxlPair(t: Test, vdevs: string[], format: ImageFormat) {
  const pair = await realPart(t, () => qemuPair(t, forms.drive, vdevs, format))
  if (pair === undefined) return undefined
  const { host, port, primary, secondary, names } = pair
  const link = await tcpProxy(host, { host, port })
  t.teardown(() => link[Symbol.dispose]())
  const disks = names.map((name, index) => ({ name, devid: parseVdev(vdevs[index]!)!.devid }))
  const [first, second] = [primary.qemu.client, secondary.qemu.client]
  const toLink = { disks, host, port: link.port }
  allDone(t, await startSecondary(second, { disks, host, port }))
  allDone(t, await startPrimary(first, toLink))
  return { pair, link, disks, first, second, toLink }
}

const failures = ({ answers }: LibxlReport) =>
  answers.flatMap(({ command, failure }) => (failure === undefined ? [] : [[command, failure]]))

const allDone = (t: Test, report: LibxlReport) => {
  t.ok(report.believed)
  t.strictSame(failures(report), [])
}

async function holds(t: Test, { secondary }: QemuPair, parts: readonly [at: number, byte: number][]) {
  await secondary.qemu.quit()
  const wanted = Buffer.alloc(1024 * kib)
  for (const [at, byte] of parts) wanted.fill(byte, at * 64 * kib, (at + 1) * 64 * kib)
  for (const disk of secondary.disks) t.ok(contents(disk).equals(wanted), disk.vdev)
}

for (const [vdevs, format] of [
  [['hda'], 'raw'],
  [['sda', 'hdb'], 'qcow2'],
] as [string[], ImageFormat][]) {
  t.test(`nothing goes wrong: ${vdevs.join(' ')} (${format})`, async t => {
    const made = await libxlPair(t, vdevs, format)
    if (made === undefined) return
    const { pair, first, second, disks } = made
    const view = await viewBlocks(second)
    for (const { name } of disks) t.match(secondaryState(view, name), { kind: 'replicating' })
    await onEach(pair.primary, () => 'write -P 1 0 64k')
    allDone(t, await checkpoint({ primary: first, secondary: second }))
    await onEach(pair.secondary, () => 'read -P 1 0 64k')
    await pair.primary.qemu.stop()
    await holds(t, pair, [[0, 1]])
    t.notMatch(pair.secondary.qemu.printed(), /fail/)
  })

  t.test(`a failover undoes nothing and commits nothing: ${vdevs.join(' ')} (${format})`, async t => {
    const made = await libxlPair(t, vdevs, format)
    if (made === undefined) return
    const { pair, first, second, disks } = made
    await onEach(pair.primary, () => 'write -P 1 0 64k')
    allDone(t, await checkpoint({ primary: first, secondary: second }))
    await onEach(pair.primary, () => 'write -P 2 0 64k')
    await onEach(pair.secondary, () => 'write -P 3 64k 64k')
    const report = await failOver(second, { disks })
    t.ok(report.believed)
    t.match(failures(report)[0], ['xen-set-replication', /cancelled unexpectedly/])
    t.match(
      failures(report).slice(1),
      disks.slice(1).map(() => ['nbd-server-stop', 'NBD server not running']),
      'it is stopped once for each disk',
    )
    const view = await viewBlocks(second)
    const kinds = disks.map(({ name }) => secondaryState(view, name).kind).sort()
    t.strictSame(kinds, [...disks.slice(1).map(() => 'replicating'), 'stopped'], 'QEMU ends with the first that fails')
    await onEach(pair.secondary, () => 'read -P 1 0 64k')
    await onEach(pair.secondary, () => 'read -P 3 64k 64k')
    await holds(t, pair, [[0, 2]])
    t.notMatch(pair.secondary.qemu.printed(), /fail/, 'its guest reads right until QEMU ends')
  })
}

t.test('the same QEMU is protected again: all is believed, and nothing reaches the secondary', async t => {
  const made = await libxlPair(t, ['hda'], 'raw')
  if (made === undefined) return
  const { pair, first, disks, toLink } = made
  await tearDownPrimary(first, { disks })
  t.match(primaryState(await viewBlocks(first), 'colo-hda'), { kind: 'alone' })
  await pair.secondary.qemu.quit()
  pair.secondary = await pair.restart(pair.secondary, 'secondary')
  const again = pair.secondary.qemu.client
  allDone(t, await startSecondary(again, { disks, host: pair.host, port: pair.port }))
  const report = await startPrimary(first, toLink)
  t.ok(report.believed)
  t.match(failures(report), [['human-monitor-command', /^Duplicate nodes with node-name='colo_node768'/]])
  await onEach(pair.primary, () => 'write -P 5 0 64k')
  allDone(t, await checkpoint({ primary: first, secondary: again }))
  await holds(t, pair, [])
})

t.test('the link is cut: the error is in the reply, and the checkpoint is believed', async t => {
  const made = await libxlPair(t, ['hda'], 'raw')
  if (made === undefined) return
  const { pair, link, first, second } = made
  link.cut()
  await onEach(pair.primary, () => 'write -P 5 0 64k')
  const report = await checkpoint({ primary: first, secondary: second })
  t.ok(report.believed)
  t.match(report.answers[0], { reply: { error: true }, failure: 'I/O error occurred', noticed: false })
  t.strictSame(failures(report), [['query-xen-replication-status', 'I/O error occurred']])
  await holds(t, pair, [])
})

t.test('a secondary hangs: the primary does, and its monitor with it', async t => {
  const made = await libxlPair(t, ['hda'], 'raw')
  if (made === undefined) return
  const { pair, first, second, disks } = made
  process.kill(pair.secondary.qemu.pid, 'SIGSTOP')
  await onEach(pair.primary, () => 'aio_write -P 5 0 64k')
  const report = await checkpoint({ primary: first, secondary: second }, { timeout: 300 })
  t.notOk(report.believed)
  t.match(report.answers[0], { command: 'query-xen-replication-status', failure: undefined }, 'no error is known')
  const down = await tearDownPrimary(first, { disks, timeout: 300 })
  t.match(failures(down), [['x-blockdev-change', /timed out|not done|300/]])
  await t.rejects(first.execute('query-status', undefined, { timeout: 300 }), { code: 'ETIMEDOUT' })
})

t.test('somebody is connecting when the secondary takes over: its QEMU hangs, its guest with it', async t => {
  const made = await libxlPair(t, ['hda'], 'raw')
  if (made === undefined) return
  const { pair, second, disks } = made
  await pair.primary.qemu.stop()
  const socket = connect(pair.port, pair.host).on('error', () => {})
  t.teardown(() => socket.destroy())
  await once(socket, 'data')
  const report = await failOver(second, { disks, timeout: 1000 })
  t.ok(report.believed)
  t.match(failures(report)[1], ['nbd-server-stop', /not done within/])
  socket.destroy()
  await t.rejects(second.execute('query-status', undefined, { timeout: 300 }), { code: 'ETIMEDOUT' }, 'for good')
})

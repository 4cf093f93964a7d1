import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  blockdevMirror,
  blockJobCancel,
  connectQmp,
  cont,
  humanMonitor,
  type JobProgress,
  type Qmp,
  queryBlockGraph,
  queryJobs,
  queryNamedBlockNodes,
  querySchema,
  queryStatus,
  runJob,
  stop,
} from 'xenlight/qmp'
import { type Qemu, startQemu } from '../real/qemu.js'
import { realPart } from '../support/real-part.js'

const folder = mkdtempSync(join(tmpdir(), 'qmp-'))
t.teardown(() => rmSync(folder, { recursive: true }))

const megabyte = 1024 * 1024
const nodes = ['a', 'b'].flatMap(name => [
  '-blockdev',
  JSON.stringify({ driver: 'null-co', 'node-name': name, size: 8 * megabyte, 'read-zeroes': true, 'latency-ns': 0 }),
])
const broken = {
  driver: 'blkdebug',
  'node-name': 'broken',
  image: 'b',
  'inject-error': ['write', 'write-zeroes'].map(iotype => ({ event: 'none', iotype, errno: 28, once: false })),
}

const onQemu = (name: string, args: readonly string[], work: (t: Test, qemu: Qemu, qmp: Qmp) => Promise<void>) =>
  t.test(name, async t => {
    const started = await realPart(t, () => startQemu([...nodes, ...args]))
    if (started === undefined) return
    if (started.qemu === undefined) {
      t.fail(started.refusal)
      return
    }
    await using qemu = started.qemu
    await work(t, qemu, qemu.client)
  })

const path = join(folder, 'monitor')
onQemu('a socket, and what was typed', ['-qmp', `unix:${path},server=on,wait=off`], async t => {
  await using qmp = await connectQmp({ path })
  t.ok(qmp.version.major >= 7, 'its version')
  await using events = qmp.events({ names: ['RESUME'] })
  await qmp.run(cont)
  t.match((await events.next()).value, { name: 'RESUME' })
  t.match(await qmp.run(queryStatus), { running: true, status: 'running' })
  await qmp.run(stop)
  const known = await qmp.run(queryNamedBlockNodes, { flat: true })
  t.match(
    known
      .filter(({ driver }) => driver === 'null-co')
      .map(({ nodeName, virtualSize }) => [nodeName, virtualSize])
      .sort(),
    [
      ['a', 8 * megabyte],
      ['b', 8 * megabyte],
    ],
  )
  const second = connectQmp({ path }, { signal: AbortSignal.timeout(300) })
  await t.rejects(second, { code: 'ECANCELED', message: /another client/ }, 'a monitor serves one client at a time')
})

t.test('no QEMU there', async t => {
  await t.rejects(connectQmp({ path: join(folder, 'none') }), {
    name: 'QmpError',
    code: 'ENOENT',
    message: /-qmp unix/,
  })
  await t.rejects(connectQmp({ path: '/'.repeat(200) }), { name: 'QmpError', code: 'ENAMETOOLONG' })
  await t.rejects(connectQmp({ path }, { signal: AbortSignal.abort() }), { code: 'ECANCELED' })
  await t.rejects(connectQmp(path as never), { name: 'TypeError' })
  t.notOk(existsSync(join(folder, 'none')))
})

onQemu('the block graph', ['-device', 'virtio-blk,id=disk,drive=a'], async (t, _, qmp) => {
  const { nodes, edges } = await qmp.run(queryBlockGraph)
  const nameOf = (wanted: number) => nodes.find(({ id }) => id === wanted)?.name
  t.same(
    nodes
      .filter(({ kind }) => kind === 'block-driver')
      .map(({ name }) => name)
      .sort(),
    ['a', 'b'],
  )
  t.match(
    edges.map(({ parent, child, name }) => [nameOf(parent), name, nameOf(child)]),
    [[/disk/, 'root', 'a']],
  )
})

onQemu('the human monitor fails by printing', [], async (t, _, qmp) => {
  await humanMonitor(qmp, 'drive_add -n buddy driver=null-co,node-name=c')
  await t.rejects(humanMonitor(qmp, 'drive_add -n buddy driver=null-co,node-name=c'), {
    code: 'monitor-text',
    description: /Duplicate nodes/,
  })
})

onQemu('the schema', [], async (t, _, qmp) => {
  const schema = await querySchema(qmp)
  t.equal(schema.has('block-export-add'), true)
  t.equal(schema.has('no-such-command'), false)
  t.equal(schema.isDeprecated('nbd-server-add'), true)
  t.equal(schema.isDeprecated('block-export-add'), false)
  t.equal(schema.hasArgument('blockdev-mirror', 'auto-dismiss'), true)
  t.equal(schema.hasArgument('blockdev-mirror', 'no-such-argument'), false)
})

const mirror = (qmp: Qmp, more: { speed?: number; target?: string; 'auto-dismiss'?: boolean } = {}) => ({
  id: 'm',
  start: () => qmp.run(blockdevMirror, { 'job-id': 'm', device: 'a', target: 'b', sync: 'full', ...more }),
})

for (const dismissed of [true, false])
  onQemu(`a mirror is ready, and ends; auto-dismiss ${dismissed}`, [], async (t, _, qmp) => {
    const progress: JobProgress[] = []
    await runJob(qmp, {
      ...mirror(qmp, { speed: 16 * megabyte, 'auto-dismiss': dismissed }),
      until: 'ready',
      every: 20,
      onProgress: now => progress.push(now),
    })
    t.match(await qmp.run(queryJobs), [{ id: 'm', type: 'mirror', status: 'ready', error: undefined }])
    t.ok(progress.length > 0, 'it was reported')
    t.ok(progress.every(({ current, total }) => current <= total))
    await runJob(qmp, { id: 'm', start: () => qmp.run(blockJobCancel, { device: 'm' }) })
    t.same(await qmp.run(queryJobs), [], 'none is left')
  })

for (const dismissed of [true, false])
  onQemu(
    `a job that fails says why; auto-dismiss ${dismissed}`,
    ['-blockdev', JSON.stringify(broken)],
    async (t, _, qmp) => {
      const failing = runJob(qmp, {
        ...mirror(qmp, { target: 'broken', 'auto-dismiss': dismissed }),
        until: 'ready',
      })
      await t.rejects(failing, { code: 'job-failed', description: /No space left on device/ })
      t.same(await qmp.run(queryJobs), [])
    },
  )

onQemu('a job that does not begin', [], async (t, _, qmp) => {
  const refused = runJob(qmp, mirror(qmp, { target: 'nothing' }))
  await t.rejects(refused, { code: 'refused', command: 'blockdev-mirror' })
})

onQemu('a job whose time is up is cancelled', [], async (t, _, qmp) => {
  const slow = runJob(qmp, { ...mirror(qmp, { speed: 1 }), timeout: 200 })
  await t.rejects(slow, { code: 'ETIMEDOUT', message: /it was cancelled/ })
  t.same(await qmp.run(queryJobs), [])
})

onQemu('a job that somebody else cancels', [], async (t, _, qmp) => {
  const slow = runJob(qmp, mirror(qmp, { speed: 1 }))
  slow.catch(() => {})
  await qmp.run(blockJobCancel, { device: 'm', force: true })
  await t.rejects(slow, { code: 'job-cancelled' })
})

onQemu('a QEMU that dies in the middle', [], async (t, qemu, qmp) => {
  const slow = runJob(qmp, mirror(qmp, { speed: 1 }))
  slow.catch(() => {})
  await qmp.run(queryStatus)
  process.kill(qemu.pid, 'SIGKILL')
  await t.rejects(slow, { code: 'ECONNRESET' })
  await t.rejects(qmp.run(queryStatus), { code: 'ECONNRESET', command: 'query-status' })
})

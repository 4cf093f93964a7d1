import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { addDisk, parseDisk } from 'xenlight'
import { embeddedStore } from 'xenlight/xenstore'
import { realPart } from '../support/real-part.js'
import { type Machine, machine, type SocketQemu } from './real-pair.js'

interface Pair extends Machine {
  anna: SocketQemu
  berta: SocketQemu
  ends: string[]
  watching: string[]
}

async function pairOf(t: Test, size = '4M'): Promise<Pair | undefined> {
  return realPart(t, async () => {
    const here = machine(t)
    const anna = await here.boot('anna', 'primary', { size })
    const berta = await here.boot('berta', 'secondary', { size })
    return {
      ...here,
      anna,
      berta,
      ends: ['--primary', anna.sockets, '--secondary', berta.sockets],
      watching: ['--primary', anna.third, '--secondary', berta.third],
    }
  })
}

const kib = 1024
const lines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))

t.test('started, checkpoint, taken over, protected again, stopped', async t => {
  const pair = await pairOf(t)
  if (pair === undefined) return
  const { anna, berta, ends, colo, listen, otherPort } = pair
  t.match(await colo('status', ...ends), { status: 12, stdout: /disk0: unprotected/ }, 'unprotected')
  await anna.guest('write -P 1 0 64k')
  const started = await colo('start', ...ends, '--listen', listen, '--json')
  t.match(started, { status: 0, stderr: '' })
  t.match(lines(started.stdout), [
    { event: 'epoch', epoch: 1 },
    { event: 'plan', disk: 'disk0', copy: 'full' },
  ])
  t.match(lines(started.stdout).at(-1), { event: 'warning', message: /nobody watches/ })
  const { status, stdout } = await colo('status', ...ends, '--json')
  t.equal(status, 0)
  t.match(lines(stdout), [
    {
      exit: 0,
      epoch: 1,
      splitBrain: false,
      primary: { running: false, error: null },
      disks: [{ disk: 'disk0', state: 'protected', promotable: true }],
    },
  ])
  await anna.guest('write -P 2 64k 64k')
  t.match(await colo('checkpoint', ...ends), { status: 0, stdout: /^checkpoint of epoch 1: .* ms\n$/, stderr: '' })
  await anna.guest('write -P 3 128k 64k')
  t.match(await colo('start', ...ends, '--listen', listen), { status: 0, stdout: /^epoch 1\n/ }, 'gone on with')

  await anna.kill()
  t.match(await colo('status', ...ends), { status: 11, stdout: /can be taken over/ })
  const secondary = ['--secondary', berta.sockets]
  t.match(await colo('failover', ...secondary, '--epoch', '1'), { status: 21, stderr: /epoch 1/ })
  t.match(await colo('failover', ...secondary, '--resume'), {
    status: 0,
    stdout: /taken over: epoch 2\nthe guest runs\n$/,
  })
  t.match(await colo('failover', ...secondary), { status: 0, stdout: /taken over already: epoch 2/ })
  t.match(await colo('status', ...secondary), { status: 14 })

  const carla = await pair.boot('carla', 'secondary')
  const next = ['--primary', berta.sockets, '--secondary', carla.sockets]
  t.match(await colo('reprotect', ...next, '--listen', otherPort), { status: 0, stdout: /^epoch 3\n[\s\S]*protected/ })
  t.match(await colo('status', ...next, '--graph'), { status: 0, stdout: /quorum[\s\S]*secondary disk/ })
  t.match(await colo('stop', ...next), { status: 0, stdout: 'the protection of epoch 3 was ended\n' })
  t.match(await colo('stop', ...next), { status: 0 }, 'stopped again')
  t.match(await colo('status', ...next), { status: 13 })
  await berta.quit()
  const wanted = Buffer.alloc(4096 * kib)
  wanted.fill(1, 0, 64 * kib).fill(2, 64 * kib, 128 * kib)
  t.ok(readFileSync(berta.image).equals(wanted), 'as at the last checkpoint')
})

t.test('an old primary follows', async t => {
  const pair = await pairOf(t)
  if (pair === undefined) return
  const { anna, berta, ends, colo, listen, otherPort, folder } = pair
  await colo('start', ...ends, '--listen', listen)
  const secondary = ['--secondary', berta.sockets]
  t.match(await colo('failover', ...secondary), { status: 0 })
  const swapped = ['--primary', berta.sockets, '--secondary', anna.sockets, '--listen', otherPort]
  t.match(await colo('reprotect', ...swapped), { status: 3, stderr: /--overlays DIR/ })
  const overlays = ['--overlays', `${folder}/new overlays`]
  t.match(await colo('reprotect', ...swapped, ...overlays), { status: 0, stdout: /protected \(epoch 3\)/ })
  t.match(await colo('reprotect', ...swapped, ...overlays), { status: 0, stdout: /^epoch 3\n/ }, 'done again')
})

t.test('a take-over is refused where the primary runs, or nothing is known', async t => {
  const pair = await pairOf(t)
  if (pair === undefined) return
  const { anna, berta, ends, colo, listen } = pair
  const secondary = ['--secondary', berta.sockets]
  t.match(await colo('failover', ...secondary), { status: 20, stderr: /nobody knows/ })
  t.match(await colo('start', ...ends, '--listen', listen), { status: 0 })
  await using monitor = await anna.qmp()
  await monitor.execute('cont')
  t.match(await colo('failover', ...ends), { status: 22, stderr: /no fencing/ })
  t.match(await colo('failover', ...ends, '--force', 'the operator says so'), { status: 0 })
  await using other = await berta.qmp()
  await other.execute('cont')
  t.match(await colo('status', ...ends), { status: 17, stdout: /SPLIT BRAIN/ })
})

t.test('--every stays, and leaves the disks protected', async t => {
  const pair = await pairOf(t)
  if (pair === undefined) return
  const { anna, ends, watching, colo, listen } = pair
  for (const [signal, more, after] of [
    ['SIGTERM', [], 0],
    ['SIGINT', ['--stop-on-exit'], 13],
  ] as const) {
    const every = pair.stay('start', ...ends, '--listen', listen, '--every', '1s', ...more)
    // long before the next one: no guest writes in a checkpoint, and QEMU 7.2's secondary aborts where somebody does
    await every.until(/checkpoint 2:/)
    await anna.guest('write -P 5 0 64k')
    t.match(await colo('status', ...watching), { status: 0 }, 'another monitor sees it')
    every.child.kill(signal)
    t.match(await every.ended, { status: 0, signal: null })
    t.match(await colo('status', ...ends), { status: after }, `after ${signal} ${more}`)
  }
})

t.test('a secondary that is started anew is found again', async t => {
  const pair = await pairOf(t)
  if (pair === undefined) return
  const { berta, ends, colo, listen } = pair
  const every = pair.stay('start', ...ends, '--listen', listen, '--every', '50ms')
  await every.until(/checkpoint 2:/)
  await berta.kill()
  await every.until(/tried again/)
  await pair.boot('berta', 'secondary')
  await every.until(/tried again[\s\S]*protected \(epoch 1\)[\s\S]*checkpoint 2:/)
  every.child.kill('SIGTERM')
  t.match(await every.ended, { status: 0 })
  t.match(await colo('status', ...ends), { status: 0 })
})

t.test('--every ends where the primary is gone', async t => {
  const pair = await pairOf(t)
  if (pair === undefined) return
  const { anna, ends, listen } = pair
  const every = pair.stay('start', ...ends, '--listen', listen, '--every', '50ms')
  await every.until(/checkpoint 2:/)
  await anna.kill()
  t.match(await every.ended, { status: 1, stderr: /the primary's QEMU is gone/ })
})

t.test('killed in the middle of a copy, and started again', async t => {
  const pair = await pairOf(t, '64M')
  if (pair === undefined) return
  const { anna, berta, ends, colo, listen } = pair
  await anna.guest('write -P 7 0 64M')
  const slow = pair.stay('start', ...ends, '--listen', listen, '--speed', '8M')
  await slow.until(/disk0: \[/)
  slow.child.kill('SIGKILL')
  await slow.ended
  t.match(await colo('status', ...ends), { status: 16, stdout: /half|not finished/ })
  t.match(await colo('failover', '--secondary', berta.sockets), { status: 20 })
  t.match(await colo('start', ...ends, '--listen', listen), { status: 0 }, 'again')
  t.match(await colo('status', ...ends), { status: 0 })
  await anna.quit()
  await berta.quit()
  t.ok(readFileSync(berta.image).equals(readFileSync(anna.image)))
})

t.test('interrupted in the middle of a copy', async t => {
  const pair = await pairOf(t, '64M')
  if (pair === undefined) return
  const { anna, ends, colo, listen } = pair
  await anna.guest('write -P 7 0 64M')
  const slow = pair.stay('start', ...ends, '--listen', listen, '--speed', '8M')
  await slow.until(/disk0: \[/)
  slow.child.kill('SIGINT')
  t.match(await slow.ended, { status: 130, stderr: /interrupted/ })
  t.match(await colo('start', ...ends, '--listen', listen), { status: 0 }, 'again')
})

t.test('guests that a killed process left standing still go on', async t => {
  const pair = await pairOf(t)
  if (pair === undefined) return
  const { anna, ends, colo, listen } = pair
  await using monitor = await anna.qmp()
  const isRunning = async () => ((await monitor.execute('query-status')) as { running: boolean }).running
  // as it is between the two ends of a checkpoint
  const leaveStopped = async () => {
    await monitor.execute('blockdev-add', { driver: 'null-co', 'node-name': 'colo-stopped', size: 512 })
    await monitor.execute('stop')
  }
  await monitor.execute('cont')
  for (const args of [
    ['start', ...ends, '--listen', listen],
    ['checkpoint', ...ends],
    ['stop', ...ends],
  ]) {
    t.match(await colo(...args), { status: 0 })
    await leaveStopped()
    t.notOk(await isRunning())
    t.match(await colo(...args), { status: 0 })
    t.ok(await isRunning(), args[0]!)
  }
})

t.test('disks that are not there', async t => {
  const pair = await pairOf(t)
  if (pair === undefined) return
  const { anna, berta, colo, listen } = pair
  const nobody = ['--primary', anna.sockets, '--secondary', berta.sockets, '--disk', 'a\x1b[2J']
  const refusal = { status: 3, stdout: 'epoch 1\n', stderr: 'xl-colo: the primary has no disk a␛[2J\n' }
  t.match(await colo('start', ...nobody, '--listen', listen), refusal)
  t.match(await colo('status', ...nobody), { status: 12, stdout: /^a␛\[2J: unprotected/m })
  t.match(await colo('checkpoint', ...nobody), { status: 3, stderr: /no checkpoint: a␛/ })
  t.match(await colo('failover', '--secondary', berta.sockets, '--disk', 'nope'), { status: 20 })
})

t.test('a domain is one of the sides', async t => {
  const pair = await pairOf(t)
  if (pair === undefined) return
  const { anna, berta, ends, colo, listen, folder } = pair
  await colo('start', ...ends, '--listen', listen)
  const domain = (socket: string, ...named: string[]) => ['status', ...named, '--domid', '7', '--qmp', socket]
  const named = ['--disk', 'disk0']
  t.match(await colo(...domain(anna.third, ...named), '--secondary', berta.third), { status: 0 })
  t.match(await colo(...domain(berta.third, ...named), '--primary', anna.third), { status: 0 })
  t.match(await colo(...domain(anna.third, ...named)), { status: 11, stdout: /^primary: its guest/m })
  t.match(await colo(...domain(berta.third, ...named)), { status: 11, stdout: /^secondary: its guest/m })

  const xenstored = embeddedStore()
  t.teardown(() => xenstored.close())
  await xenstored.listen(`${folder}/xenstored`)
  await using store = xenstored.connect()
  t.match(await colo(...domain(anna.third)), { status: 3, stderr: /there is no domain 7/ })
  await store.write('/libxl/7/type', 'hvm')
  await store.write('/local/domain/7/name', 'guest')
  t.match(await colo(...domain(anna.third)), { status: 3, stderr: /domain 7 has no COLO disk/ })
  const images = `active-disk=${folder}/a,hidden-disk=${folder}/h,target=${anna.image}`
  const add = (spec: string) => addDisk(store, parseDisk(spec), { domid: 7, wait: false })
  await add(`vdev=hda,access=rw,colo,colo-host=127.0.0.1,colo-port=9000,colo-export=disk0,${images}`)
  t.match(await colo(...domain(anna.third), '--secondary', berta.third), { status: 0, stdout: /^disk0: protected/m })
  await add(`vdev=hdb,access=rw,colo,colo-host=127.0.0.1,colo-port=9000,colo-export=0disk,${images}`)
  const all = await colo(...domain(anna.third), '--secondary', berta.third, '--json')
  t.match(all, { status: 12 })
  t.match(lines(all.stdout), [{ disks: [{ state: 'protected' }], problems: [{ vdev: 'hdb' }] }])
})

t.test('watched until interrupted', async t => {
  const pair = await pairOf(t)
  if (pair === undefined) return
  const { ends, colo, listen, watching } = pair
  const watch = pair.stay('status', ...watching, '--watch', '--json')
  await watch.until(/"state":"unprotected"/)
  await colo('start', ...ends, '--listen', listen)
  await watch.until(/"state":"protected"/)
  await pair.anna.kill()
  await pair.berta.kill()
  await watch.until(/"error":"no connection/)
  watch.child.kill('SIGINT')
  t.match(await watch.ended, { status: 1, stderr: '' })
  t.ok(lines(watch.stdout()).length >= 2)
})

t.test('a monitor that another client holds', async t => {
  const pair = await pairOf(t)
  if (pair === undefined) return
  const { anna, colo } = pair
  await using held = await anna.qmp()
  t.ok(held)
  const [fourth] = [anna.third.replace(/3$/, '4')]
  const { status, stderr } = await colo('status', '--primary', fourth!, '--timeout', '300ms')
  t.equal(status, 1)
  t.match(stderr, /another client/)
})

t.test('overlays are prepared, and none that holds something is touched', async t => {
  const here = await realPart(t, () => machine(t))
  if (here === undefined) return
  t.match(await here.colo('prepare', '8M', 'a.qcow2', 'h.qcow2'), {
    status: 0,
    stdout: /a.qcow2 and h.qcow2 are ready/,
  })
  t.match(await here.colo('prepare', '8M', 'a.qcow2', 'h.qcow2', '--json'), { status: 0, stdout: /"event":"prepared"/ })
  t.match(await here.colo('prepare', '9M', 'a.qcow2', 'new.qcow2'), { status: 3, stderr: /no overlay a.qcow2/ })
  t.match(await here.colo('prepare', 'a.qcow2', 'x.qcow2', 'y.qcow2'), { status: 0 }, 'of the size of an image')
  t.match(await here.colo('prepare', 'gone.img', 'p.qcow2', 'q.qcow2'), { status: 3, stderr: /gone.img/ })
})

t.test('two disks over TLS', async t => {
  const pair = await realPart(t, async () => {
    const here = machine(t)
    const directory = join(here.folder, 'tls')
    mkdirSync(directory)
    writeFileSync(join(directory, 'keys.psk'), `xenlight:${'ab'.repeat(32)}\n`, { mode: 0o600 })
    const user = (endpoint: string) => (endpoint === 'client' ? ',username=xenlight' : '')
    const tls = (endpoint: string) => [
      '-object',
      `tls-creds-psk,id=${endpoint}0,dir=${directory},endpoint=${endpoint}${user(endpoint)}`,
    ]
    const anna = await here.boot('anna', 'primary', { second: 'disk1', args: tls('client') })
    const berta = await here.boot('berta', 'secondary', { second: 'disk1', args: tls('server') })
    return { ...here, anna, berta, ends: ['--primary', anna.sockets, '--secondary', berta.sockets] }
  })
  if (pair === undefined) return
  const { anna, berta, ends, colo, listen } = pair
  const start = ['start', ...ends, '--listen', listen]
  t.match(await colo(...start, '--tls', 'client0,none'), { status: 1, stderr: /none/ }, 'no such object')
  t.match(await colo(...start, '--tls', 'client0,server0'), { status: 0, stdout: /disk0[\s\S]*disk1/ })
  await anna.guest('write -P 1 0 64k')
  t.match(await colo('checkpoint', ...ends), { status: 0 })
  await anna.guest('write -P 2 0 64k')
  t.match(await colo('status', ...ends), { status: 0, stdout: /disk0: protected[\s\S]*disk1: protected/ })
  await anna.kill()
  t.match(await colo('failover', '--secondary', berta.sockets), { status: 0, stdout: /taken over: epoch 2/ })
  await berta.quit()
  t.ok(
    readFileSync(berta.image)
      .subarray(0, 64 * kib)
      .equals(Buffer.alloc(64 * kib, 1)),
  )
})

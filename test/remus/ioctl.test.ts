import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { parseDisk, resolveDisk } from 'xenlight'
import { setUpCheckpoints } from 'xenlight/checkpoint'
import { drbdKind, openDrbdDevice } from 'xenlight/remus'
import { projectRoot } from '../support/project-root.js'
import { MissingRealPart, realPart } from '../support/real-part.js'
import { ioctlPreload, node, plainFile, startedBy, temporaryFolder } from './ioctl-start.js'

const { signal } = new AbortController()

/** The checkpoints of a disk on this device, whose probe says that it is ready. */
const checkpointsOf = (device: string) => {
  const where = { domid: 1, domainType: 'pv', target: 'block', domidOf: () => undefined } as const
  const disk = resolveDisk(parseDisk('phy:/dev/drbd0,xvda,w'), where)
  const kind = drbdKind({ probe: async () => ({ outcome: 'ready', device }), open: openDrbdDevice })
  return setUpCheckpoints([disk], [kind], { nameOf: ({ vdev }) => vdev })
}

const isAlive = (pid: number): boolean => /^State:\s+[^ZX]/m.test(statusOf(pid))

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}

t.test('its number and argument reach the kernel, and the kernel’s ENOTTY becomes our error', async t => {
  const folder = temporaryFolder(t)
  const trace = join(folder, 'trace')
  const strace = await realPart(t, () => {
    if (spawnSync('strace', ['-V']).error) throw new MissingRealPart('strace', 'strace')
    return 'strace'
  })
  if (strace === undefined) return
  startedBy(t, folder, `exec ${strace} -f -X raw -e trace=ioctl -o '${trace}' '${node}' "$@"`)
  const device = await openDrbdDevice(plainFile(folder), { signal })
  t.same(await device.ioctl(20, { signal }), { error: 'ENOTTY' })
  t.same(await device.ioctl(30, { signal }), { error: 'ENOTTY' })
  await device.close()
  const calls = () => readFileSync(trace, 'utf8').match(/ioctl\(3, 0x(?:14|1e)\b.*\n/g) ?? []
  while (calls().length < 2) await delay(10)
  t.match(calls(), [/^ioctl\(3, 0x14, 0\) += -1 ENOTTY/, /^ioctl\(3, 0x1e, 0\) += -1 ENOTTY/])

  await using devices = await checkpointsOf(plainFile(folder))
  await t.rejects(devices.postsuspend(), {
    code: 'step-failed',
    message: /SEND_CHECKPOINT failed with ENOTTY: the device has no checkpoints: it is not a DRBD device/,
  })
})

t.test('while WAIT blocks, the caller goes on; and a deadline ends it', async t => {
  const folder = temporaryFolder(t)
  const preload = await realPart(t, ioctlPreload)
  if (preload === undefined) return
  const pid = join(folder, 'pid')
  const environment = `LD_PRELOAD='${preload}' XENLIGHT_IOCTL_SECONDS`
  startedBy(t, folder, `echo $$ >'${pid}'; ${environment}=5 exec '${node}' "$@"`)
  {
    await using devices = await checkpointsOf(plainFile(folder))
    await devices.postsuspend()
    let isBlocked = true
    const waiting = devices.preresume().then(() => {
      isBlocked = false
    })
    // a main thread that waited with it would turn once
    let turns = 0
    for (; isBlocked && turns < 100; turns++) await delay(10)
    t.ok(isBlocked, 'WAIT still blocks')
    t.equal(turns, 100, 'turns of the main thread meanwhile')
    await waiting
    await devices.commit()
  }
  startedBy(t, folder, `echo $$ >'${pid}'; ${environment}=600 exec '${node}' "$@"`)
  const devices = await checkpointsOf(plainFile(folder))
  await devices.postsuspend()
  await t.rejects(devices.preresume({ timeout: 200 }), { code: 'step-failed', message: /not done within 200 ms/ })
  await devices.teardown()
  const blocked = Number(readFileSync(pid, 'utf8'))
  while (isAlive(blocked)) await delay(10)
  t.pass('the process that blocked is gone, with the device')
})

t.test('an ioctl that was given up ends the device: no late answer is taken for another', async t => {
  const folder = temporaryFolder(t)
  const preload = await realPart(t, ioctlPreload)
  if (preload === undefined) return
  startedBy(t, folder, `LD_PRELOAD='${preload}' XENLIGHT_IOCTL_SECONDS=600 exec '${node}' "$@"`)
  const device = await openDrbdDevice(plainFile(folder), { signal })
  const over = new AbortController()
  const waiting = device.ioctl(30, { signal: over.signal })
  over.abort()
  await t.rejects(waiting, { name: 'AbortError' })
  await t.rejects(device.ioctl(20, { signal }), {
    code: 'checkpoint-failed',
    message: /plain is closed: open it again/,
  })
})

t.test('its process has nothing of our environment', async t => {
  const folder = temporaryFolder(t)
  const seen = join(folder, 'seen')
  const { env } = process as { env: Record<string, string | undefined> & { XENLIGHT_SECRET?: string } }
  env.XENLIGHT_SECRET = 'a password'
  t.teardown(() => delete env.XENLIGHT_SECRET)
  startedBy(t, folder, `tr '\\0' '\\n' </proc/$$/environ >'${seen}'; exec '${node}' "$@"`)
  const device = await openDrbdDevice(plainFile(folder), { signal })
  await device.close()
  // the runner of these tests puts its own in
  t.notMatch(readFileSync(seen, 'utf8'), /XENLIGHT_SECRET|^(?:PATH|HOME|USER)=/m)
})

t.test('what it answers is looked at', async t => {
  const answers: readonly [answer: string, message: RegExp][] = [
    [`{ kind: 'result', result: 0 }`, /answered what it was not asked/],
    [`'ready'`, /answered what it was not asked/],
    [`{ kind: 'no-koffi', why: 'bad ELF \\u001b[2J' }`, /koffi, which cannot be loaded: bad ELF ␛\[2J$/],
  ]
  for (const [answer, message] of answers) {
    const folder = temporaryFolder(t)
    startedBy(t, folder, `exec '${node}' -e "process.on('disconnect', () => process.exit()); process.send(${answer})"`)
    await t.rejects(openDrbdDevice(plainFile(folder), { signal }), { name: 'RemusError', message })
  }
  const replies = [`{ kind: 'ready' }`, `{ kind: 'error', error: 'rm -rf /' }`, `{ kind: 'result', result: -1 }`, '7']
  for (const reply of replies) {
    const folder = temporaryFolder(t)
    const script = `process.on('message', () => process.send(${reply})); process.send({ kind: 'ready' })`
    startedBy(t, folder, `exec '${node}' -e "${script}"`)
    const device = await openDrbdDevice(plainFile(folder), { signal })
    await t.rejects(
      device.ioctl(20, { signal }),
      { code: 'checkpoint-failed', message: /what it was not asked/ },
      reply,
    )
  }
})

t.test('a process that ends, or cannot be run, is an error that says so', async t => {
  const folder = temporaryFolder(t)
  startedBy(t, folder, 'exit 7')
  await t.rejects(openDrbdDevice(plainFile(folder), { signal }), { message: /ioctls of .*plain ended with status 7/ })
  process.execPath = join(folder, 'nowhere')
  await t.rejects(openDrbdDevice(plainFile(folder), { signal }), { message: /plain cannot be run: .*ENOENT/ })
  await t.rejects(openDrbdDevice(join(folder, 'none'), { signal }), { code: 'not-ready', message: /cannot be opened/ })
})

t.test('without koffi: an error that says what to install; the rest of Remus needs none', async t => {
  const folder = temporaryFolder(t)
  const copy = join(folder, 'node_modules/xenlight')
  mkdirSync(copy, { recursive: true })
  cpSync(join(projectRoot, 'package.json'), join(copy, 'package.json'))
  cpSync(join(projectRoot, 'dist'), join(copy, 'dist'), { recursive: true })
  t.notOk(existsSync(join(tmpdir(), 'node_modules/koffi')), 'no koffi above that folder')
  const { openDrbdDevice } = await import(pathToFileURL(join(copy, 'dist/remus/index.js')).href)
  await t.rejects(openDrbdDevice(plainFile(folder), { signal }), {
    code: 'no-koffi',
    message: /plain need the package koffi, which is not installed: npm install koffi$/,
  })
})

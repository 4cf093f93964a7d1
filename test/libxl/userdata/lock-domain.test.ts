import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { addDisk, addDisks, type DiskHost, parseDisk } from 'xenlight'
import type { Xenstore } from 'xenlight/xenstore'
import { userdataIn } from '#xenlight/libxl/userdata/userdata-folder.js'
import { type GuestInStore, hostWhere, refusing, storeWith } from '../../support/disk-store.js'

const uuid = '11111111-2222-3333-4444-555555555555'
const domain = { domid: 11, uuid }
const guests: GuestInStore[] = [{ domid: 11, type: 'pv' }]
const xvda = parseDisk('phy:/dev/a,xvda,w')
const xvdb = parseDisk('phy:/dev/b,xvdb,w')
const link = '/libxl/11/device/vbd/51712'
const empty = '{\n    "on_reboot": "restart"\n}\n'
const long = 600_000

/** A folder of libxl's, a host with it, and a store with a guest that libxl made. */
async function libxlBeside(t: Test, given?: Xenstore, configuration = empty) {
  const folder = t.testdir()
  const configPath = join(folder, `userdata-d.11.${uuid}.libxl-json`)
  const lockPath = join(folder, `userdata-l.11.${uuid}.domain-userdata-lock`)
  writeFileSync(configPath, configuration)
  const store = given ?? (await storeWith(t, guests))
  await store.write('/local/domain/11/vm', `/vm/${uuid}`)
  const host: DiskHost = { ...hostWhere(() => 'block'), lockUserdata: userdataIn(folder) }
  const lock = userdataIn(folder)
  return { folder, configPath, lockPath, store, host, lock, options: { domid: 11, host, wait: false } }
}

const vdevsIn = (path: string): string[] =>
  (JSON.parse(readFileSync(path, 'utf8')).disks ?? []).map(({ vdev }: { vdev: string }) => vdev)

/** Until somebody waits for the lock on a file, as the kernel tells. */
async function isWaitedFor(path: string): Promise<void> {
  const { ino } = statSync(path)
  const waits = new RegExp(`-> FLOCK .*:${ino} `)
  while (!waits.test(readFileSync('/proc/locks', 'latin1'))) await delay(10)
}

/** A process of its own that says a line when it has the lock. */
async function startHolder(t: Test, program: string, args: string[]): Promise<ChildProcess> {
  const holder = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => {
    // its children end with its input
    holder.stdin.end()
    holder.kill('SIGKILL')
  })
  await once(holder.stdout, 'data')
  return holder
}

const worker = fileURLToPath(new URL('lock-worker.js', import.meta.url))

t.test('an attached disk is in the configuration, as it was given, and the lock is gone', async t => {
  const { configPath, folder, store, options } = await libxlBeside(t)
  await addDisks(store, [xvda, xvdb], options)
  t.strictSame(vdevsIn(configPath), ['xvda', 'xvdb'])
  const [{ backend, pdev_path: path }] = JSON.parse(readFileSync(configPath, 'utf8')).disks
  t.strictSame([backend, path], [undefined, '/dev/a'], 'before defaults')
  t.equal(statSync(configPath).mode & 0o777, 0o600)
  t.strictSame(readdirSync(folder), [`userdata-d.11.${uuid}.libxl-json`])
})

t.test('a disk that is refused changes nothing in it', async t => {
  const { configPath, store, options } = await libxlBeside(t)
  await addDisk(store, xvda, options)
  const before = readFileSync(configPath, 'utf8')
  const again = parseDisk('phy:/dev/c,xvda,w')
  await t.rejects(addDisk(store, again, options), { code: 'ERROR_DEVICE_EXISTS' })
  t.equal(readFileSync(configPath, 'utf8'), before)

  const picky = await storeWith(t, guests, duplex =>
    refusing(duplex, ([operation, payload]) =>
      operation === 'WRITE' && payload.startsWith(link) ? 'EACCES' : undefined,
    ),
  )
  const second = await libxlBeside(t, picky)
  await t.rejects(addDisk(picky, xvda, second.options), { code: 'ERROR_FAIL' })
  t.equal(readFileSync(second.configPath, 'utf8'), empty)
})

t.test("another toolstack's lock is waited for", async t => {
  const { lockPath, store, options } = await libxlBeside(t)
  const holder = await startHolder(t, 'flock', ['-x', lockPath, '-c', 'echo locked; cat'])
  const adding = addDisk(store, xvda, { ...options, timeouts: { lock: long } })
  await isWaitedFor(lockPath)
  t.equal(await store.readIfPresent(link), undefined)
  holder.stdin?.end()
  await adding
  t.not(await store.readIfPresent(link), undefined)
})

t.test('and not for longer than is said', async t => {
  const { configPath, lockPath, store, options } = await libxlBeside(t)
  await startHolder(t, 'flock', ['-x', lockPath, '-c', 'echo locked; cat'])
  await t.rejects(addDisk(store, xvda, { ...options, timeouts: { lock: 200 } }), {
    code: 'ERROR_TIMEDOUT',
    message: /200 ms.*domain-userdata-lock.*timeouts\.lock/,
  })
  t.equal(await store.readIfPresent(link), undefined)
  t.strictSame(vdevsIn(configPath), [])
  t.ok(existsSync(lockPath), "its holder's file stays")
})

t.test('whoever aborts waits no longer', async t => {
  const { lockPath, store, options } = await libxlBeside(t)
  await startHolder(t, 'flock', ['-x', lockPath, '-c', 'echo locked; cat'])
  const abort = new AbortController()
  const adding = addDisk(store, xvda, { ...options, timeouts: { lock: long }, signal: abort.signal })
  const refused = t.rejects(adding, { code: 'ERROR_ABORTED', cause: 'enough' })
  await isWaitedFor(lockPath)
  abort.abort('enough')
  await refused
  t.equal(await store.readIfPresent(link), undefined)
})

t.test('the lock of a process that was killed is free', async t => {
  const { folder, lockPath, store, options } = await libxlBeside(t)
  const holder = await startHolder(t, process.execPath, [worker, 'hold', folder, uuid])
  const adding = addDisk(store, xvda, { ...options, timeouts: { lock: long } })
  await isWaitedFor(lockPath)
  holder.kill('SIGKILL')
  await adding
  t.notOk(existsSync(lockPath))
})

t.test('a lock on a file that was removed meanwhile is none', async t => {
  const { lock, lockPath } = await libxlBeside(t)
  const first = await lock(domain, { timeout: long })
  const waiting = lock(domain, { timeout: long })
  await isWaitedFor(lockPath)
  await first?.release()
  const second = await waiting
  await t.rejects(
    lock(domain, { timeout: 300 }),
    { code: 'ERROR_TIMEDOUT' },
    'the second one holds the file that is there',
  )
  await second?.release()
  t.notOk(existsSync(lockPath))
})

t.test('a lock file that somebody removed while it was held hinders nobody', async t => {
  const { lock, lockPath } = await libxlBeside(t)
  const first = await lock(domain, { timeout: long })
  const waiting = lock(domain, { timeout: long })
  await isWaitedFor(lockPath)
  unlinkSync(lockPath)
  const other = await lock(domain, { timeout: long })
  await other?.release()
  await first?.release()
  await (await waiting)?.release()
  t.notOk(existsSync(lockPath))
})

t.test('processes, and calls of one process, take turns', async t => {
  const { folder, configPath } = await libxlBeside(t, undefined, '0')
  const rounds = 10
  const workers = [1, 2].map(() =>
    spawn(process.execPath, [worker, 'count', folder, uuid, String(rounds)], { stdio: 'inherit' }),
  )
  const codes = await Promise.all(workers.map(async one => (await once(one, 'exit'))[0]))
  t.strictSame(codes, [0, 0])
  // each has two chains of calls
  t.equal(readFileSync(configPath, 'utf8'), String(2 * 2 * rounds))
})

t.test('the lock is free again while the backend is waited for', async t => {
  const { lock, store, options } = await libxlBeside(t)
  const abort = new AbortController()
  const { signal } = abort
  const adding = addDisk(store, xvda, { ...options, wait: true, timeouts: { backend: Infinity }, signal })
  const refused = t.rejects(adding, { code: 'ERROR_ABORTED' })
  await store.waitUntilExists('/local/domain/0/backend/vbd/11/51712/state')
  const held = await lock(domain, { timeout: long })
  t.ok(held)
  t.not(await store.readIfPresent(link), undefined, 'it still waits')
  await held?.release()
  abort.abort()
  await refused
})

t.test('a domain whose number another one has got meanwhile is left alone', async t => {
  const { lockPath, store, options } = await libxlBeside(t)
  const holder = await startHolder(t, 'flock', ['-x', lockPath, '-c', 'echo locked; cat'])
  const adding = addDisk(store, xvda, { ...options, timeouts: { lock: long } })
  const refused = t.rejects(adding, { code: 'ERROR_LOCK_FAIL', message: /went away/ })
  await isWaitedFor(lockPath)
  await store.write('/local/domain/11/vm', `/vm/${uuid.replace('1', '9')}`)
  holder.stdin?.end()
  await refused
  t.equal(await store.readIfPresent(link), undefined)
  t.notOk(existsSync(lockPath))
})

t.test('without libxl, or for a domain that it did not make, nothing is locked', async t => {
  const none = await libxlBeside(t)
  unlinkSync(none.configPath)
  for (const vm of ['/vm/../../etc', '/vm/', 'x', `/vm/${uuid}/x`]) {
    await none.store.write('/local/domain/11/vm', vm)
    await addDisk(none.store, xvda, none.options)
    await none.store.rm(link)
  }
  await none.store.rm('/local/domain/11/vm')
  await addDisk(none.store, xvda, none.options)
  t.strictSame(readdirSync(none.folder), [])

  const { store, options, folder } = await libxlBeside(t)
  const lockUserdata = userdataIn(join(folder, 'missing'))
  t.ok(await addDisk(store, xvda, { ...options, host: { ...options.host, lockUserdata } }))
})

t.test('a domain without a configuration is attached to, and libxlExact refuses it as libxl does', async t => {
  const { folder, configPath, store, options } = await libxlBeside(t)
  unlinkSync(configPath)
  await t.rejects(addDisk(store, xvda, { ...options, libxlExact: true }), { code: 'ERROR_JSON_CONFIG_EMPTY', rc: -16 })
  t.equal(await store.readIfPresent(link), undefined)
  await addDisk(store, xvda, options)
  t.strictSame(readdirSync(folder), [])
})

t.test('a configuration that is none is an error, and no disk is attached', async t => {
  const { configPath, folder, store, options } = await libxlBeside(t)
  for (const text of ['', '{"disks":[', '[]']) {
    writeFileSync(configPath, text)
    await t.rejects(addDisk(store, xvda, options), { code: 'ERROR_FAIL' }, text)
    t.equal(await store.readIfPresent(link), undefined)
    t.equal(readFileSync(configPath, 'utf8'), text)
  }
  t.equal(readdirSync(folder).length, 1)
})

t.test('bytes that are no UTF-8 stay', async t => {
  const { configPath, store, options } = await libxlBeside(t)
  writeFileSync(configPath, Buffer.from('{"c_info":{"name":"\xe9"}}', 'latin1'))
  await addDisk(store, xvda, options)
  const bytes = readFileSync(configPath)
  t.ok(bytes.includes(Buffer.from('"\xe9"', 'latin1')))
  t.ok(bytes.includes('xvda'))
})

t.test('without the program flock there is a clear error', async t => {
  const { store, options } = await libxlBeside(t)
  const env = process.env as { PATH?: string }
  const { PATH = '' } = env
  env.PATH = t.testdirName
  t.teardown(() => {
    env.PATH = PATH
  })
  await t.rejects(addDisk(store, xvda, options), { code: 'ERROR_LOCK_FAIL', message: /util-linux/ })
  t.equal(await store.readIfPresent(link), undefined)
})

t.test('a time limit that is none is refused', async t => {
  const { store, options } = await libxlBeside(t)
  await t.rejects(addDisk(store, xvda, { ...options, timeouts: { lock: -1 } }), RangeError)
})

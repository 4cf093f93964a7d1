import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connect } from 'xenlight/xenstore'
import { connectSocket } from '#xenlight/link/node/socket.js'
import { embeddedStore, memoryStore } from '#xenlight/xenstore/memory/index.js'
import { MissingRealPart, realPart } from '../../support/real-part.js'
import { RawClient } from './raw-client.js'

const { PATH } = process.env

/** A path short enough for a socket. */
function newSocket(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'store-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  return join(directory, 'socket')
}

/** A real program's run; asynchronously, as the store that it talks to is in this process. */
async function run(socket: string, program: string, ...args: string[]): Promise<string> {
  const child = spawn(program, args, { env: { PATH, XENSTORED_PATH: socket }, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('latin1').on('data', text => (said += text))
  const [status] = await once(child, 'close')
  return `${status} ${said}`.trimEnd()
}

const realProgram = (program: string, packages: string) => () => {
  if (spawnSync('which', [program], { env: { PATH } }).status !== 0) throw new MissingRealPart(program, packages)
  return program
}

t.test("Xen's own test of a xenstored passes", async t => {
  const program = '/usr/lib/xen-4.17/bin/test-xenstore'
  const tester = await realPart(t, realProgram(program, 'xen-utils-4.17'))
  if (!tester) return
  await using store = embeddedStore()
  const { path } = await store.listen(newSocket(t))
  const said = await run(path, tester)
  t.match(said, /^0 /)
  for (const name of ['read 2000', 'write 2000', 'dir', 'rm dir', 'ta rmw x', 'ta err'])
    t.match(said, new RegExp(`^(0 )?${name} *: [0-9]+ ns$`, 'm'))
})

t.test("Xen's command-line tools", async t => {
  const present = await realPart(t, realProgram('xenstore-ls', 'xenstore-utils'))
  if (!present) return
  await using store = embeddedStore()
  const { path } = await store.listen(newSocket(t))
  t.equal(await run(path, 'xenstore-ls', '-fp'), '0 /tool = ""   (n0)\n/tool/xenstored = ""   (n0)')
  t.equal(await run(path, 'xenstore-write', '/a/b', 'value', '/a/c', 'two'), '0')
  t.equal(await run(path, 'xenstore-read', '/a/b', '/a/c'), '0 value\ntwo')
  t.equal(await run(path, 'xenstore-chmod', '/a/b', 'n7', 'r3'), '0')
  t.equal(await run(path, 'xenstore-ls', '-fp', '/a'), '0 /a/b = "value"   (n7,r3)\n/a/c = "two"   (n0)')
  t.equal(await run(path, 'xenstore-list', '/'), '0 tool\na')
  t.equal(await run(path, 'xenstore-rm', '/a'), '0')
  t.match(await run(path, 'xenstore-read', '/a/b'), /^1 .*couldn't read path/)
  t.equal(await run(path, 'xenstore-exists', '/a/b'), '1')

  const watch = run(path, 'xenstore-watch', '-n', '3', '/w')
  const client = store.connect()
  // It reads its first event when its watch is set.
  while (!/watches +: +1/.test(await client.control('quota', ['0']))) await new Promise(setImmediate)
  await client.write('/w/x', '1')
  await client.rm('/w')
  t.equal(await watch, '0 /w\n/w/x\n/w')
})

t.test('clients in this process and others see one tree', async t => {
  await using store = embeddedStore()
  await using listener = await store.listen(newSocket(t))
  const inside = store.connect()
  const outside = new RawClient(await connectSocket({ path: listener.path }))
  await inside.write('/a', 'value')
  t.equal(await outside.ask('READ', '/a\0'), 'value')
  t.equal(statSync(listener.path).mode & 0o777, 0o600)

  await listener.close()
  await outside.closed
  t.notOk(existsSync(listener.path))
  t.equal(await inside.read('/a'), 'value', 'the store goes on')
  await store.close()
  await inside.closed
})

t.test('too long a payload ends the connection', async t => {
  await using store = embeddedStore()
  const { path } = await store.listen(newSocket(t))
  for (const duplex of [store.duplex(), await connectSocket({ path })]) {
    const client = new RawClient(duplex)
    t.equal(await client.ask('WRITE', `/a\0${'x'.repeat(4093)}`), 'OK')
    t.equal(await client.ask('WRITE', `/a\0${'x'.repeat(4094)}`), 'closed')
    await client.closed
  }
})

t.test('a socket whose server is dead is replaced, nothing else', async t => {
  await using store = embeddedStore()
  const path = newSocket(t)
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', code], { env: { PATH } })
  t.ok(existsSync(path), 'left behind')
  await store.listen(path)
  const client = new RawClient(await connectSocket({ path }))
  t.equal(await client.ask('READ', '/tool\0'), '')

  await t.rejects(embeddedStore().listen(path), { name: 'XenstoreError', code: 'EADDRINUSE', path })
  t.equal(await client.ask('READ', '/tool\0'), '', 'the other goes on')

  const file = newSocket(t)
  writeFileSync(file, 'text')
  await t.rejects(store.listen(file), { code: 'EADDRINUSE' })
  t.ok(existsSync(file))
  await t.rejects(store.listen('/nonexistent/socket'), { code: /ENOENT|EACCES/ })
  await t.rejects(store.listen(`/tmp/${'x'.repeat(103)}`), { code: 'ENAMETOOLONG', message: /107 bytes/ })
})

t.test('a listener does not wait for what is connected, and closes once', async t => {
  await using store = embeddedStore()
  const listener = await store.listen(newSocket(t))
  const clients = await Promise.all(
    [1, 2, 3].map(async () => new RawClient(await connectSocket({ path: listener.path }))),
  )
  await Promise.all([listener.close(), listener.close()])
  await Promise.all(clients.map(client => client.closed))
  const server = createServer().listen(listener.path)
  await once(server, 'listening')
  server.close()
})

t.test('memoryStore is a client of a store of its own', async t => {
  await using one = memoryStore()
  await using two = memoryStore()
  await one.write('/a', '1')
  t.equal(await two.readIfPresent('/a'), undefined)
  t.strictSame(await one.directory('/'), ['tool', 'a'])
})

t.test('others reach it too, until it is closed', async t => {
  const store = memoryStore()
  const guest = store.connect({ domid: 4 })
  await store.write('/local/domain/4', '')
  await store.setPermissions('/local/domain/4', [{ domid: 4, access: 'none' }])
  await guest.write('mine', 'x')
  const listener = await store.listen(newSocket(t))
  const other = await connect({ path: listener.path })
  t.equal(await other.read('/local/domain/4/mine'), 'x')
  await t.rejects(guest.read('/tool'), { code: 'EACCES' })

  await store.close()
  t.equal(await store.closed, undefined)
  t.match(await Promise.all([guest.closed, other.closed]), [{ code: 'ECONNRESET' }, { code: 'ECONNRESET' }])
  await t.rejects(connect({ path: listener.path }), { name: 'XenstoreError' })
})

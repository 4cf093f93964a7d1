import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { connect } from 'xenlight/xenstore'
import { FrameDecoder } from '#xenlight/link/frame-decoder.js'
import { socketPath } from '#xenlight/xenstore/node/socket-path.js'
import { packet } from './fake-daemon.js'

// tap's loaders would be the children's too
const { PATH } = process.env
const directory = mkdtempSync(join(tmpdir(), 'xenlight-'))
t.teardown(() => rmSync(directory, { recursive: true }))

/** Whole packets out of a stream, in the byte order of the machines that this runs on. */
const packetReader = () =>
  new FrameDecoder<[type: number, id: number, tx: number, payload: string]>({
    headerSize: 16,
    frameSize: (bytes, at) => 16 + Buffer.from(bytes).readUInt32LE(at + 12),
    decode(bytes, start, end) {
      const all = Buffer.from(bytes.subarray(start, end))
      return [all.readUInt32LE(0), all.readUInt32LE(4), all.readUInt32LE(8), all.toString('latin1', 16)]
    },
  })

/** A daemon on a socket of its own that answers reads with their path. */
async function echoing(
  name: string,
  serve = answerReads,
): Promise<{ path: string; server: Server; sockets: Socket[] }> {
  const path = join(directory, name)
  const sockets: Socket[] = []
  const server = createServer(socket => {
    sockets.push(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  await new Promise<void>(resolve => server.listen(path, resolve))
  return { path, server, sockets }
}

function answerReads(socket: Socket): void {
  const reader = packetReader()
  socket.on('data', bytes => {
    const answers: Buffer[] = []
    reader.push(bytes, request => answers.push(packet(...request)))
    socket.write(Buffer.concat(answers))
  })
}

t.test('where the daemon is', async t => {
  t.equal(socketPath({}), '/run/xenstored/socket')
  t.equal(socketPath({ XENSTORED_RUNDIR: '/x' }), '/x/socket')
  t.equal(socketPath({ XENSTORED_RUNDIR: '/x', XENSTORED_PATH: '/y' }), '/y')
  t.equal(socketPath({ XENSTORED_RUNDIR: '', XENSTORED_PATH: '' }), '/run/xenstored/socket')
})

t.test('a session over a socket', async t => {
  const { path, server } = await echoing('session')
  const store = await connect({ path })
  t.equal(await store.read('/a'), '/a\0')
  const many = Array.from({ length: 3000 }, (_, index) => `/${index}${'x'.repeat(1000)}`)
  t.strictSame(
    await Promise.all(many.map(path => store.read(path))),
    many.map(path => `${path}\0`),
  )
  t.match(store.statistics, { requests: 3001, inFlight: 0 })
  await store.close()
  t.equal(await store.closed, undefined)
  await new Promise(resolve => server.close(resolve))
})

t.test('from the environment', async t => {
  const { path, server } = await echoing('environment')
  t.intercept(process, 'env', { value: { ...process.env, XENSTORED_PATH: path } })
  const store = await connect()
  t.equal(await store.read('/a'), '/a\0')
  await store.close()
  server.close()
})

t.test('no daemon', async t => {
  const missing = join(directory, 'missing')
  await t.rejects(connect({ path: missing }), {
    name: 'XenstoreError',
    code: 'ENOENT',
    operation: 'CONNECT',
    path: missing,
    message: `CONNECT ${missing}: ENOENT (no such socket: is xenstored running?)`,
    cause: { syscall: 'connect' },
  })
  const file = join(directory, 'file')
  writeFileSync(file, '')
  await t.rejects(connect({ path: file }), { code: 'ECONNREFUSED', operation: 'CONNECT' })
  await t.rejects(connect({ path: `/${'x'.repeat(107)}` }), { code: 'ENAMETOOLONG', operation: 'CONNECT' })
  await t.rejects(connect({ path: '' }), { code: 'EINVAL', operation: 'CONNECT' })
  await t.rejects(connect({ path: '/proc/xen/xenbus' }), { code: 'EINVAL', message: /\/dev\/xen\/xenbus/ })
  await t.rejects(connect({ path: missing, signal: AbortSignal.abort('enough') }), {
    code: 'ECANCELED',
    cause: 'enough',
  })
  const { path, server, sockets } = await echoing('options')
  const closed = new Promise<void>(resolve =>
    server.once('connection', socket => socket.resume().once('close', () => resolve())),
  )
  await t.rejects(connect({ path, maxInFlight: 0 }), { name: 'XenstoreError', code: 'EINVAL', message: /in flight/ })
  await closed
  t.equal(sockets.length, 1)
  server.close()
})

t.test('the daemon goes in the middle of it, and a new connection works', async t => {
  const ends: [name: string, serve: (socket: Socket) => void, message: RegExp][] = [
    ['ended', socket => socket.once('data', () => socket.end()), /closed the connection/],
    ['destroyed', socket => socket.once('data', () => socket.destroy()), /closed the connection/],
    [
      'cut',
      socket => socket.once('data', () => socket.end(packet(2, 1, 0, 'value').subarray(0, 20))),
      /after 20 bytes/,
    ],
  ]
  for (const [name, serve, message] of ends) {
    const { path, server } = await echoing(name, serve)
    const store = await connect({ path })
    const pending = [store.read('/a'), store.watch('/b').next(), store.write('/c', 'x'.repeat(4000))]
    for (const result of await Promise.allSettled(pending)) {
      t.match(result, { status: 'rejected', reason: { code: 'ECONNRESET', message } }, name)
    }
    t.match(await store.closed, { code: 'ECONNRESET' })
    server.close()
    const { path: again, server: second } = await echoing(`${name}-again`)
    const next = await connect({ path: again })
    t.equal(await next.read('/a'), '/a\0')
    await next.close()
    second.close()
  }
})

t.test('a daemon that sends its end and reads no more', async t => {
  const path = join(directory, 'half')
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, socket => socket.end())
  await new Promise<void>(resolve => server.listen(path, resolve))
  t.teardown(() => server.close())
  const store = await connect({ path })
  const value = 'x'.repeat(4000)
  const writes = await Promise.allSettled(Array.from({ length: 400 }, () => store.write('/a', value)))
  t.ok(writes.every(write => write.status === 'rejected' && write.reason.code === 'ECONNRESET'))
  t.match(await store.closed, { code: 'ECONNRESET' })
})

t.test('nothing keeps the process after close', async t => {
  const { path, server } = await echoing('exit')
  const module = JSON.stringify(import.meta.resolve('xenlight/xenstore'))
  const script = `import { connect } from ${module}; const s = await connect({ path: process.argv[1] }); await s.read('/a', { timeout: 1e6 }); await s.close()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    env: { PATH },
  })
  t.equal(await new Promise(resolve => child.once('exit', resolve)), 0)
  server.close()
})

/** A child whose file 3 is a stand-in for the device; its exit status, its output, and the requests that came. */
async function deviceSession(...arguments_: string[]): Promise<{ status: number; output: string; seen: string[] }> {
  const program = fileURLToPath(new URL('device-session.js', import.meta.url))
  const child = spawn(process.execPath, [program, ...arguments_], {
    env: { PATH },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  })
  const socket = child.stdio[3] as Socket
  const seen: string[] = []
  const reader = packetReader()
  socket.on('data', bytes => {
    reader.push(bytes, ([type, id, tx, text]) => {
      seen.push(`${type} ${id}`)
      // as older kernels answer WATCH (4) and UNWATCH (5): without the number
      const isWatching = type === 4 || type === 5
      const answer = isWatching ? packet(type, 0, 0, 'OK\0') : packet(type, id, tx, text)
      socket.write(answer.subarray(0, 5))
      setImmediate(() => socket.write(answer.subarray(5)))
    })
  })
  socket.on('error', () => {})
  let output = ''
  child.stdout!.on('data', text => {
    output += text
  })
  const status = await new Promise<number>(resolve => child.once('close', resolve))
  return { status, output, seen }
}

t.test('a device: closing ends the read that waits', async t => {
  const { status, output, seen } = await deviceSession()
  t.equal(status, 0)
  t.strictSame(JSON.parse(output), { one: '/a\0', many: 50, codes: ['E2BIG', 'EPERM'], after: 'EBADF' })
  // the last is the request whose answer ends the read
  t.equal(seen.at(-1), '10 0')
  t.equal(seen.length, 52)
})

t.test('a device: a watch that is refused ends alone', async t => {
  const { status, output, seen } = await deviceSession('watch')
  t.equal(status, 0)
  t.strictSame(JSON.parse(output), {
    watches: [
      'taken',
      'WATCH /refused/ENOSPC ENOSPC',
      'taken',
      'WATCH /refused/EACCES EACCES',
      'WATCH /refused/EINVAL EINVAL',
    ],
    read: '/a\0',
    left: 0,
    end: 'EBADF',
    closed: 'closed',
  })
  t.strictSame(
    seen.map(request => request.split(' ')[0]).sort(),
    ['10', '2', '4', '4', '5', '5'],
    'those refused are not taken back',
  )
})

t.test('so does leaving the process', async t => {
  const { status, output, seen } = await deviceSession('exit')
  t.strictSame({ status, output }, { status: 0, output: '' })
  t.equal(seen.at(-1), '10 0')
})

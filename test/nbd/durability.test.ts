import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type BlockBackend, connectNbd, listenNbd, MemoryBackend, type NbdExport, type NbdExports } from 'xenlight/nbd'
import { eventually } from '../protocol-d/eventually.js'
import { RawClient, requestOf } from './raw-client.js'
import { socketFolder } from './socket-folder.js'

/** A disk that says when it is asked something, and waits until it may go on. */
class HeldBackend implements BlockBackend {
  readonly size = 1024 * 1024
  readonly log: string[] = []
  failFlush = false
  #waiting: (() => void)[] = []
  #asked: () => void = () => {}

  read(_offset: number, length: number): Promise<Uint8Array> {
    return this.#hold(`read ${length}`).then(() => new Uint8Array(length))
  }

  write(offset: number, data: Uint8Array): Promise<void> {
    return this.#hold(`write ${offset} ${data.length}`)
  }

  writeZeroes(offset: number): Promise<void> {
    return this.#hold(`zeroes ${offset}`)
  }

  trim(offset: number): Promise<void> {
    return this.#hold(`trim ${offset}`)
  }

  async flush(): Promise<void> {
    await this.#hold('flush')
    if (this.failFlush) throw Object.assign(new Error('planted'), { code: 'EIO' })
  }

  async asked(count: number): Promise<void> {
    while (this.log.length < count) {
      await new Promise<void>(resolve => {
        this.#asked = resolve
      })
    }
  }

  go(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #hold(what: string): Promise<void> {
    this.log.push(what)
    this.#asked()
    return new Promise(resolve => this.#waiting.push(resolve))
  }
}

async function serve(t: Test, exports: NbdExports) {
  const path = join(socketFolder(t), 's')
  const server = await listenNbd({ path }, exports)
  t.teardown(() => server.close())
  return { path, server }
}

t.test('FUA is a write and then a flush, and is answered after both', async t => {
  const backend = new HeldBackend()
  const { path } = await serve(t, [{ name: '', backend }])
  await using client = await connectNbd({ path })
  let isAnswered = false
  const written = client.write(7, Buffer.alloc(3), { fua: true }).then(() => {
    isAnswered = true
  })
  await backend.asked(1)
  t.strictSame(backend.log, ['write 7 3'])
  backend.go()
  await backend.asked(2)
  t.strictSame(backend.log, ['write 7 3', 'flush'])
  // whatever was sent too early comes before this
  void client.read(0, 1)
  await backend.asked(3)
  t.notOk(isAnswered)
  backend.go()
  await written
})

t.test('a flush that fails is told', async t => {
  const backend = new HeldBackend()
  backend.failFlush = true
  const { path } = await serve(t, [{ name: '', backend }])
  await using client = await connectNbd({ path })
  const flushed = client.flush()
  await backend.asked(1)
  backend.go()
  await t.rejects(flushed, { name: 'NbdError', code: 'EIO' })
})

t.test(
  'requests that have not begun have no effect after a disconnect, and drop waits for those that have',
  async t => {
    const backend = new HeldBackend()
    const { path, server } = await serve(t, [{ name: 'x', backend }])
    using client = new RawClient(path)
    await client.enter('x')
    // 256 may be under way
    for (let index = 0; index < 300; index++) client.send(requestOf(1, index, 1, 1), Buffer.alloc(1))
    await backend.asked(256)
    let isDropped = false
    const dropped = server.drop('x').then(() => {
      isDropped = true
    })
    await client.ended
    t.notOk(isDropped, 'what has begun is not through')
    backend.go()
    await backend.asked(512)
    t.notOk(isDropped, 'its flush has begun too')
    backend.go()
    await dropped
    t.equal(backend.log.filter(what => what.startsWith('write')).length, 256)
  },
)

t.test('a client that went while others of its requests waited: those never begin', async t => {
  const backend = new HeldBackend()
  const { path, server } = await serve(t, [{ name: '', backend }])
  using client = new RawClient(path)
  await client.enter()
  // more than is read of one that waits
  for (let index = 0; index < 600; index++) client.send(requestOf(1, index, 512), Buffer.alloc(512))
  await backend.asked(256)
  client.socket.destroy()
  await client.ended
  await eventually('it is gone', () => {
    backend.go()
    return server.connections === 0
  })
  t.equal(backend.log.length, 256)
})

t.test('DISC is followed by nothing, and what came before it is done', async t => {
  const backend = new MemoryBackend(1024)
  const { path } = await serve(t, [{ name: '', backend }])
  using client = new RawClient(path)
  await client.enter()
  client.send(requestOf(1, 0, 1), Buffer.of(5), requestOf(2, 0, 0), requestOf(1, 1, 1), Buffer.of(6))
  await client.ended
  t.strictSame([...backend.read(0, 2)], [5, 0])
})

t.test('half a request has no effect', async t => {
  const backend = new MemoryBackend(1024)
  const { path, server } = await serve(t, [{ name: '', backend }])
  using client = new RawClient(path)
  await client.enter()
  client.send(requestOf(1, 0, 100), Buffer.alloc(99, 5))
  client.socket.end()
  await client.ended
  await server.close()
  t.strictSame([...backend.read(0, 2)], [0, 0])
})

t.test('an export that its owner takes away is gone for the next client', async t => {
  const backend = new MemoryBackend(1024)
  const exports = new Map<string, NbdExport>([['x', { name: 'x', backend }]])
  const { path, server } = await serve(t, name => exports.get(name))
  const client = await connectNbd({ path }, { export: 'x' })
  t.notOk(client.readOnly)
  exports.set('x', { name: 'x', backend, readOnly: true })
  await server.drop('x')
  t.match(await client.closed, { code: 'ECONNRESET' })
  await t.rejects(client.flush(), { code: 'ECONNRESET' })
  const second = await connectNbd({ path }, { export: 'x' })
  t.ok(second.readOnly)
  await t.rejects(second.write(0, Buffer.alloc(1)), { code: 'EPERM' })
  exports.clear()
  await server.drop('x')
  await t.rejects(connectNbd({ path }, { export: 'x' }), { code: 'refused' })
})

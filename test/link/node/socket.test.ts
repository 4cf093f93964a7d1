import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Duplex } from '#xenlight/link/duplex.js'
import { type Listener, listen } from '#xenlight/link/node/listener.js'
import { connectSocket } from '#xenlight/link/node/socket.js'
import type { SocketAddress } from '#xenlight/link/node/socket-address.js'

/** A directory whose name is short enough for a socket. */
function directoryOf(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'link-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  return directory
}

/** All that a connection says until it ends. */
function heard(duplex: Duplex): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    duplex.start({
      data: bytes => {
        text += Buffer.from(bytes).toString()
      },
      end: () => resolve(text),
    })
  })
}

/** Answers each chunk in capitals. */
function shout(duplex: Duplex): void {
  duplex.start({ data: bytes => duplex.write(Buffer.from(Buffer.from(bytes).toString().toUpperCase())), end: () => {} })
}

const addresses: [name: string, address: (directory: string) => SocketAddress][] = [
  ['a unix socket', directory => ({ path: join(directory, 'socket') })],
  ['TCP', () => ({ port: 0 })],
]

for (const [name, addressIn] of addresses) {
  t.test(`${name}: what is written comes out at the other end, in order`, async t => {
    const listener = await listen(addressIn(directoryOf(t)), shout)
    t.teardown(() => listener.close())
    const duplex = await connectSocket(listener.address)
    const words = Array.from({ length: 1000 }, (_, index) => `word ${index} `)
    const all = words.join('').toUpperCase()
    let text = ''
    await new Promise<void>(resolve => {
      duplex.start({
        data: bytes => {
          text += Buffer.from(bytes).toString()
          if (text.length >= all.length) duplex.close()
        },
        end: () => resolve(),
      })
      for (const word of words) duplex.write(Buffer.from(word))
    })
    t.equal(text, all)
  })

  t.test(`${name}: closing sends what was written, and then ends`, async t => {
    const listener = await listen(addressIn(directoryOf(t)), duplex => {
      duplex.start({ data: () => {}, end: () => {} })
      duplex.write(Buffer.from('x'.repeat(1_000_000)))
      duplex.close()
    })
    t.equal((await heard(await connectSocket(listener.address))).length, 1_000_000)
    await listener.close()
    await t.rejects(connectSocket(listener.address), { code: /ECONNREFUSED|ENOENT/ })
    await listener.close()
  })

  t.test(`${name}: who does not read the answers is not read from either`, async t => {
    let received = 0
    const answer = Buffer.alloc(1_000_000)
    const listener = await listen(addressIn(directoryOf(t)), duplex => {
      duplex.start({
        data: bytes => {
          received += bytes.length
          duplex.write(answer)
        },
        end: () => {},
      })
    })
    const { address } = listener
    const greedy = 'path' in address ? connect(address.path) : connect(address.port)
    await once(greedy, 'connect')
    greedy.pause()
    let sent = 0
    const piece = Buffer.alloc(65_536)
    // the system's buffers take some; then nothing more goes out
    while (sent < 1_000 && greedy.write(piece)) sent++
    for (let idle = 0, before = -1; idle < 20; before = received) {
      await new Promise(resolve => setTimeout(resolve, 10))
      idle = received === before ? idle + 1 : 0
      if (greedy.writableLength === 0 && sent < 1_000) {
        greedy.write(piece)
        sent++
      }
    }
    t.ok(received < 1_000 * piece.length, `it took ${received} bytes and no more`)
    greedy.destroy()
    await listener.close()
  })
}

t.test('a path that Node would cut off is refused', async t => {
  const path = `/${'x'.repeat(107)}`
  await t.rejects(listen({ path }, shout), { name: 'LinkError', code: 'ENAMETOOLONG' })
  await t.rejects(connectSocket({ path }), { name: 'LinkError', code: 'ENAMETOOLONG' })
})

t.test('an abort ends the connecting', async t => {
  const reason = new Error('enough')
  await t.rejects(connectSocket({ path: join(directoryOf(t), 'none') }, AbortSignal.abort(reason)))
})

t.test("a socket is this user's alone, and takes nobody's place", async t => {
  const path = join(directoryOf(t), 'socket')
  const listener: Listener = await listen({ path }, shout)
  t.equal(statSync(path).mode & 0o777, 0o600)
  await t.rejects(listen({ path }, shout), { code: 'EADDRINUSE' })
  await listener.close()
  t.throws(() => statSync(path), { code: 'ENOENT' })
  const other = createServer()
  await new Promise<void>(resolve => other.listen(path, resolve))
  await t.rejects(listen({ path }, shout), { code: 'EADDRINUSE' })
  other.close()
})

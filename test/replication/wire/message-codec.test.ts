import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { LinkError } from '#xenlight/link/link-error.js'
import { type Message, protocolVersion } from '#xenlight/replication/wire/message.js'
import {
  encodeHeader,
  encodeMessage,
  messageDecoder,
  messageFraming,
} from '#xenlight/replication/wire/message-codec.js'
import { kindTable } from '#xenlight/replication/wire/message-kinds.js'
import { projectRoot } from '../../support/project-root.js'
import { anyMessage } from './messages.js'

const headerSize = 40

/** Without what tells apart a Buffer and a plain array, and what is undefined. */
const plain = (message: Message): unknown =>
  JSON.parse(JSON.stringify('data' in message ? { ...message, data: [...message.data] } : message))

const decodeAll = (bytes: Uint8Array): Message[] => {
  const taken: Message[] = []
  messageFraming.decoder().push(bytes, message => taken.push(message))
  return taken
}

t.test('what is sent comes out, however it is cut', t => {
  const kinds = new Set<string>()
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 500 })), (sent, cuts) => {
      for (const { kind } of sent) kinds.add(kind)
      const all = Buffer.concat(sent.map(message => messageFraming.encode(message)))
      const decoder = messageFraming.decoder()
      const taken: Message[] = []
      let at = 0
      for (const cut of [...cuts, all.length]) {
        // the pieces are reused by whoever hands them in
        const piece = Buffer.from(all.subarray(at, at + cut))
        decoder.push(piece, message =>
          taken.push('data' in message ? { ...message, data: new Uint8Array(message.data) } : message),
        )
        piece.fill(0)
        at += cut
      }
      return decoder.unfinished === 0 && isDeepStrictEqual(taken.map(plain), sent.map(plain))
    }),
    { numRuns: 2000 },
  )
  t.same([...kinds].sort(), Object.keys(kindTable).sort(), 'of all kinds')
  t.end()
})

t.test('a header and its data in two pieces are the message in one', t => {
  const data = Buffer.alloc(100_000, 7)
  const message = {
    kind: 'write',
    channel: 3,
    sequence: 9,
    time: 2 ** 50 + 1,
    volume: 255,
    offset: 2 ** 40 + 512,
    data,
  } as const
  t.ok(Buffer.concat([encodeHeader(message), data]).equals(encodeMessage(message)))
  t.end()
})

t.test('data of a whole frame is not copied', t => {
  const bytes = encodeMessage({
    kind: 'fill',
    channel: 1,
    sequence: 1,
    time: 0,
    volume: 0,
    offset: 0,
    data: Buffer.alloc(512),
  })
  const [message] = decodeAll(bytes)
  bytes[headerSize] = 9
  t.equal((message as { data: Uint8Array }).data[0], 9)
  t.end()
})

const isBroken = (error: unknown) => error instanceof LinkError && error.code === 'EPROTO'

t.test('garbage is EPROTO or nothing, and takes no memory', t => {
  const tryIt = (bytes: Uint8Array): boolean => {
    const decoder = messageFraming.decoder()
    try {
      decoder.push(bytes, () => {})
    } catch (error) {
      return isBroken(error)
    }
    return decoder.unfinished <= bytes.length
  }
  fc.assert(
    fc.property(anyMessage, fc.nat(), fc.nat(255), (message, where, value) => {
      const bytes = Buffer.from(encodeMessage(message))
      bytes[where % bytes.length] = value
      return tryIt(bytes)
    }),
    { numRuns: 5000 },
  )
  fc.assert(
    fc.property(fc.nat(255), fc.nat(20_000), fc.uint8Array({ maxLength: 200 }), (kind, length, body) =>
      tryIt(framed(kind, length, Buffer.from(body))),
    ),
    { numRuns: 5000 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), tryIt), { numRuns: 2000 })
  t.end()
})

t.test('any JSON in the place of what a kind has to say', t => {
  const codes = Object.values(kindTable).filter(({ body }) => body === 'json')
  fc.assert(
    fc.property(fc.constantFrom(...codes), fc.json({ maxDepth: 6 }), ({ code }, json) => {
      const body = Buffer.from(json)
      try {
        decodeAll(framed(code, body.length, body, 1))
      } catch (error) {
        return isBroken(error)
      }
      return true
    }),
    { numRuns: 5000 },
  )
  t.end()
})

t.test('what is no message', t => {
  const json = (kind: keyof typeof kindTable, value: unknown, number = 1) => {
    const body = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
    return framed(kindTable[kind].code, body.length, body, number)
  }
  const uuid = '123e4567-e89b-42d3-a456-426614174000'
  const attach = { group: 'g', epoch: 0, stream: uuid, oldest: 1, volumes: [{ number: 0, name: 'v', size: 512 }] }
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
  const data = (kind: 'write' | 'readRequest', change: (header: Buffer) => void) => {
    const bytes = Buffer.from(
      encodeMessage(
        kind === 'write'
          ? { kind, channel: 1, sequence: 1, time: 1, volume: 0, offset: 0, data: Buffer.alloc(4) }
          : { kind, channel: 1, request: 1, volume: 0, offset: 0, length: 5 },
      ),
    )
    change(bytes)
    return bytes
  }
  t.equal(decodeAll(json('attach', attach)).length, 1, 'the good one')
  t.equal(decodeAll(json('done', { result: nested(16) })).length, 1, 'deep enough')
  const cases: Record<string, Buffer> = {
    zeroes: Buffer.alloc(headerSize),
    'another protocol': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n'),
    'no kind': framed(0, 0),
    'an unknown kind': framed(200, 0),
    'too much data': framed(kindTable.write.code, 1024 * 1024 + 1),
    'a very long text': framed(kindTable.command.code, 0xffff_ffff),
    'a long greeting': framed(kindTable.hello.code, 1025),
    'more than nothing': framed(kindTable.settled.code, 1, Buffer.alloc(1)),
    'half a length': framed(kindTable.zero.code, 4, Buffer.alloc(4)),
    'cut JSON': json('ready', '{"group":'),
    'no UTF-8': framed(kindTable.ready.code, 3, Buffer.from([0xff, 0xfe, 0x22])),
    null: json('ready', 'null'),
    'an array': json('ready', []),
    'a path for a name': json('ready', { group: '../etc' }),
    'an option for a name': json('ready', { group: '-rf' }),
    'an empty name': json('ready', { group: '' }),
    'a negative epoch': json('attach', { ...attach, epoch: -1 }),
    'half an epoch': json('attach', { ...attach, epoch: 0.5 }),
    'a huge epoch': json('attach', { ...attach, epoch: 2 ** 53 }),
    'a stream that is no UUID': json('attach', { ...attach, stream: 'x' }),
    'a stream that begins before 1': json('attach', { ...attach, oldest: 0 }),
    'half of what was before': json('attach', { ...attach, previous: { replica: uuid } }),
    'one number twice': json('attach', { ...attach, volumes: [...attach.volumes, { number: 0, name: 'w', size: 1 }] }),
    'one name twice': json('attach', { ...attach, volumes: [...attach.volumes, { number: 1, name: 'v', size: 1 }] }),
    'volume 256': json('attach', { ...attach, volumes: [{ number: 256, name: 'v', size: 1 }] }),
    'too deep': json('done', { result: nested(17) }),
    'much too deep': json('command', `{"execute":"x","arguments":${'['.repeat(30_000)}${']'.repeat(30_000)}}`),
    'a long text': json('stopped', { code: 'full', message: 'x'.repeat(1001) }),
    'a code that is none': json('stopped', { code: 'F*', message: '' }),
    'sequence 0': data('write', bytes => bytes.fill(0, 16, 24)),
    'a sequence that is too large': data('write', bytes => bytes.fill(0xff, 16, 24)),
    'behind the largest offset': data('write', bytes => bytes.writeBigUInt64LE(BigInt(Number.MAX_SAFE_INTEGER), 32)),
    'what a later version says': data('write', bytes => bytes.fill(1, 6, 7)),
    'a read of nothing': data('readRequest', bytes => bytes.fill(0, headerSize)),
    'a read of too much': data('readRequest', bytes => bytes.writeBigUInt64LE(1_048_577n, headerSize)),
    'a mark without a sequence': json('point', { name: 'p' }, 0),
  }
  for (const [what, bytes] of Object.entries(cases)) {
    let error: unknown
    try {
      decodeAll(bytes)
    } catch (caught) {
      error = caught
    }
    t.ok(isBroken(error), `${what}: ${(error as Error | undefined)?.message}`)
  }
  t.end()
})

t.test('a kind that may not come is refused by its header alone', t => {
  const decoder = messageDecoder(kind => kind === 'hello')
  const header = encodeMessage({
    kind: 'write',
    channel: 1,
    sequence: 1,
    time: 1,
    volume: 0,
    offset: 0,
    data: Buffer.alloc(9),
  })
  t.throws(() => decoder.push(header.subarray(0, headerSize), () => {}), { code: 'EPROTO', message: /'write'/ })
  t.equal(decoder.unfinished, 0)
  t.end()
})

t.test('what a peer says is safe to show', t => {
  const [message] = decodeAll(encodeMessage({ kind: 'goodbye', code: 'lost', message: 'a\x1b[2Jb' }))
  t.same(message, { kind: 'goodbye', code: 'lost', message: 'a␛[2Jb' })
  t.end()
})

t.test('what has no place in a message is not sent', t => {
  const place = { channel: 1, sequence: 1, time: 0 }
  const large = Buffer.alloc(1024 * 1024 + 1)
  t.throws(() => encodeMessage({ kind: 'write', ...place, volume: 0, offset: 0, data: large }), RangeError)
  t.throws(() => encodeHeader({ kind: 'write', ...place, volume: 0, offset: 0, data: large }), RangeError)
  t.throws(() => encodeMessage({ kind: 'done', channel: 0, request: 1, result: 'x'.repeat(70_000) }), RangeError)
  const [cut] = decodeAll(encodeMessage({ kind: 'unsettled', ...place, reason: `${'x'.repeat(999)}😀` }))
  t.equal((cut as { reason: string }).reason.length, 1000, 'a long reason is cut')
  t.end()
})

t.test('docs/replication-protocol.md has each kind, and no other', t => {
  const page = readFileSync(join(projectRoot, 'docs/replication-protocol.md'), 'utf8')
  const rows = [...page.matchAll(/^\| (\d+) \| `(\w+)` \| (\w+) \| (\w+) \| (\d+) \|/gm)]
  const documented = rows.map(([, code, kind, from, body, most]) => [kind, Number(code), from, body, Number(most)])
  const known = Object.entries(kindTable).map(([kind, { code, from, body, most }]) => [kind, code, from, body, most])
  t.same(documented, known)
  t.match(page, `version ${protocolVersion}`)
  t.end()
})

/** A frame with a header that says anything. */
function framed(kind: number, length: number, body = Buffer.alloc(0), number = 0): Buffer {
  const header = Buffer.from(encodeMessage({ kind: 'ping', received: number }))
  header.writeUInt8(kind, 4)
  header.writeUInt32LE(length, 8)
  return Buffer.concat([header, body])
}

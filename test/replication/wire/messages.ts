import fc from 'fast-check'
import type { Message } from '#xenlight/replication/wire/message.js'

const count = fc.maxSafeNat()
const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const volume = fc.nat(255)
const text = fc.string({ maxLength: 60, unit: fc.constantFrom('a', 'é', '😀', ' ', '"', '\\', '0') })
const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
const code = fc.stringMatching(/^[a-z][a-z-]{0,31}$/)
const uuid = fc.uuid()
const sequence = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const place = { channel: u32, sequence, time: count }
const bytes = fc.uint8Array({ minLength: 1, maxLength: 3000 })
const part = { volume, offset: fc.nat({ max: 2 ** 52 }), length: fc.integer({ min: 1, max: 1024 * 1024 }) }
const json = fc.jsonValue({ maxDepth: 4, noUnicodeString: false })
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })

const volumes = fc
  .uniqueArray(fc.record({ number: volume, name, size: count }), { maxLength: 5, selector: one => one.number })
  .filter(all => new Set(all.map(one => one.name)).size === all.length)

/** Any message that there can be, with what it may say. */
export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ kind: fc.constant('hello'), version: count, agent: name }),
  fc.record({ kind: fc.constant('welcome'), version: count, hub: name }),
  fc.record({ kind: fc.constant('goodbye'), code, message: text }),
  fc.record({ kind: fc.constantFrom('ping', 'pong'), received: count }),
  fc.record({
    ...{ kind: fc.constant('attach'), channel: u32, group: name, epoch: count, stream: uuid, oldest: sequence },
    ...{ previous: optional(fc.record({ replica: uuid, stream: uuid, sequence: count })), volumes },
  }),
  fc.record({
    ...{ kind: fc.constant('attached'), channel: u32, epoch: count, replica: uuid },
    ...{ received: optional(count), holds: fc.boolean(), window: count },
  }),
  fc.record({ kind: fc.constantFrom('refused', 'stopped'), channel: u32, code, message: text }),
  fc.record({ kind: fc.constant('detach'), channel: u32 }),
  fc.record({ kind: fc.constant('durable'), channel: u32, sequence: count }),
  fc.record({ kind: fc.constant('ready'), group: name }),
  fc.record({
    kind: fc.constant('report'),
    volumes: fc.array(fc.record({ group: name, volume: name, size: count, state: text, more: json }), { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constantFrom('write', 'fill'), ...place, volume, offset: part.offset, data: bytes }),
  fc.record({ kind: fc.constantFrom('zero', 'fillZero'), ...place, ...part }),
  fc.record({ kind: fc.constant('unsettled'), ...place, reason: text }),
  fc.record({ kind: fc.constant('settled'), ...place }),
  fc.record({ kind: fc.constant('point'), ...place, name }),
  fc.record({
    ...{ kind: fc.constant('digestsRequest'), channel: u32, request: count, volume, length: part.length },
    offset: fc.nat(2 ** 30).map(number => number * 65536),
  }),
  fc.record({ kind: fc.constant('readRequest'), channel: u32, request: count, ...part }),
  fc.record({
    ...{ kind: fc.constant('writeRequest'), channel: u32, request: count, volume, offset: part.offset },
    data: bytes,
  }),
  fc.record({ kind: fc.constant('command'), channel: u32, request: count, execute: name, arguments: json }),
  fc.record({ kind: fc.constant('bytes'), channel: u32, request: count, data: bytes }),
  fc.record({ kind: fc.constant('done'), channel: u32, request: count, result: json }),
  fc.record({ kind: fc.constant('failed'), channel: u32, request: count, code, message: text }),
) as fc.Arbitrary<Message>

import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { MessageQueue } from '#xenlight/replication/agent/message-queue.js'
import { Spill } from '#xenlight/replication/agent/spill.js'
import type { StreamMessage } from '#xenlight/replication/wire/message.js'

/** A file that grows as it is written. */
class Bytes {
  bytes = Buffer.alloc(0)
  failure: Error | undefined

  readInto(offset: number, target: Uint8Array): number {
    const found = this.bytes.subarray(offset, offset + target.length)
    target.set(found)
    return found.length
  }

  write(offset: number, data: Uint8Array): void {
    if (this.failure !== undefined) throw this.failure
    const missing = offset + data.length - this.bytes.length
    if (missing > 0) this.bytes = Buffer.concat([this.bytes, Buffer.alloc(missing)])
    this.bytes.set(data, offset)
  }

  truncate(size: number): void {
    this.bytes = this.bytes.subarray(0, size)
  }
}

const offset = fc.nat(2 ** 40)
const volume = fc.nat(255)
const bodies = fc.oneof(
  fc.record({ kind: fc.constantFrom('write', 'fill'), volume, offset, data: fc.uint8Array({ maxLength: 3000 }) }),
  fc.record({ kind: fc.constantFrom('zero', 'fillZero'), volume, offset, length: fc.nat(2 ** 32) }),
  fc.record({ kind: fc.constant('unsettled'), reason: fc.string() }),
  fc.record({ kind: fc.constant('point'), name: fc.string() }),
  fc.record({ kind: fc.constant('settled') }),
)

const textOf = (message: StreamMessage): string =>
  JSON.stringify('data' in message ? { ...message, data: Buffer.from(message.data).toString('hex') } : message)

t.test('messages come out as they went in, in order, from memory and from the file', t => {
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: bodies }, fc.nat(6)), { maxLength: 200, size: 'max' })
  let spilled = 0
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 500, max: 9000 }),
      fc.integer({ min: 0, max: 20_000 }),
      (all, memory, size) => {
        const spill = new Spill(new Bytes(), size)
        const queue = new MessageQueue({ memory, spill })
        const pushed: string[] = []
        let oldest = 1
        let next = 1
        const releaseSome = (count: number) => {
          for (const until = Math.min(next + count, pushed.length + 1); next < until; next++) {
            const found = queue.at(next)
            if (found === undefined) break
            t.equal(textOf(found), pushed[next - 1])
          }
          queue.release(next - 1, message => {
            t.equal(textOf(message), pushed[oldest++ - 1])
          })
          t.equal(oldest, next)
        }
        for (const one of all) {
          if (typeof one === 'number') {
            releaseSome(one)
            continue
          }
          const message = {
            ...one,
            channel: 0,
            sequence: pushed.length + 1,
            time: 1_700_000_000_000_123,
          } as StreamMessage
          const expected = textOf(message)
          if (!queue.push(message, false)) continue
          // the buffer is used for something else
          if ('data' in one) one.data.fill(0)
          pushed.push(expected)
          if (spill.count > 0) spilled++
        }
        t.equal(queue.count, pushed.length - oldest + 1)
        t.ok(queue.bytes <= memory + size + 9000)
        while (next <= pushed.length) releaseSome(100)
        t.equal(queue.bytes, 0)
      },
    ),
    { numRuns: 60 },
  )
  t.ok(spilled > 100, `${spilled} were in the file`)
  t.end()
})

t.test('a file that takes no more: there is no room, and what is in it comes out', t => {
  const file = new Bytes()
  const queue = new MessageQueue({ memory: 1000, spill: new Spill(file, 1 << 20) })
  const push = (sequence: number) =>
    queue.push({ kind: 'write', volume: 0, offset: 0, data: new Uint8Array(500), channel: 0, sequence, time: 0 }, false)
  t.ok(push(1))
  t.ok(push(2))
  file.failure = new Error('no space left')
  t.notOk(push(3))
  queue.at(1)
  queue.release(1, () => {})
  t.equal(queue.at(2)?.sequence, 2)
  t.equal(file.bytes.length, 0, 'its room is given back')
  t.end()
})

t.test('without a file there is room in memory only', t => {
  const queue = new MessageQueue({ memory: 1000 })
  const push = (sequence: number) =>
    queue.push({ kind: 'zero', volume: 0, offset: 0, length: 1, channel: 0, sequence, time: 0 }, false)
  t.strictSame([1, 2, 3, 4].map(push), [true, true, true, false])
  t.end()
})

import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { openQmp, type Qmp, type QmpEvent, queryStatus } from 'xenlight/qmp'
import type { Duplex, DuplexReader } from '#xenlight/link/duplex.js'

const greeting = {
  QMP: { version: { qemu: { major: 7, minor: 2, micro: 22 }, package: 'Debian' }, capabilities: ['oob'] },
}

interface Asked {
  id: number
  execute?: string
  'exec-oob'?: string
  arguments?: unknown
}

/** The other end: what it was asked, and what it says. Stands for a QEMU that does what a real one would not. */
class Other implements Duplex {
  readonly asked: Asked[] = []
  closed = false
  #reader: DuplexReader | undefined
  readonly #answer: (asked: Asked, other: Other) => void

  constructor(answer: (asked: Asked, other: Other) => void = () => {}) {
    this.#answer = answer
  }

  start(reader: DuplexReader): void {
    this.#reader = reader
  }

  write(message: Uint8Array): void {
    const asked = JSON.parse(Buffer.from(message).toString('utf8')) as Asked
    this.asked.push(asked)
    queueMicrotask(() => {
      if (asked.execute === 'qmp_capabilities') this.says({ id: asked.id, return: {} })
      else this.#answer(asked, this)
    })
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    queueMicrotask(() => this.#reader?.end())
  }

  says(...messages: object[]): void {
    this.sends(messages.map(message => `${JSON.stringify(message)}\r\n`).join(''))
  }

  sends(text: string): void {
    this.#reader?.data(Buffer.from(text))
  }
}

async function open(answer?: (asked: Asked, other: Other) => void): Promise<{ qmp: Qmp; other: Other }> {
  const other = new Other(answer)
  const opening = openQmp(other)
  other.says(greeting)
  return { qmp: await opening, other }
}

t.test('the greeting says which QEMU it is, and out-of-band is enabled where it is offered', async t => {
  const { qmp, other } = await open()
  t.match(qmp.version, { major: 7, minor: 2, micro: 22, package: 'Debian' })
  t.equal(qmp.outOfBand, true)
  t.match(other.asked, [{ execute: 'qmp_capabilities', arguments: { enable: ['oob'] } }])
})

t.test('what the client before us left unanswered is not taken for an answer to us', async t => {
  const other = new Other(({ id }, other) => other.says({ id, return: 'ours' }))
  const opening = openQmp(other)
  const left = [
    { id: 1, return: 1 },
    { id: 'libvirt-7', return: 2 },
    { id: 1, error: { class: 'GenericError', desc: 'no' } },
  ]
  other.says(greeting, ...left)
  const qmp = await opening
  t.equal(await qmp.execute('query-name'), 'ours')
  other.says(left[0]!)
  t.match(await qmp.closed, { code: 'EPROTO' }, 'but later there is none left')
})

t.test('a QEMU without out-of-band says so before anything is sent', async t => {
  const other = new Other()
  const opening = openQmp(other)
  other.says({ QMP: { ...greeting.QMP, capabilities: [] } })
  const qmp = await opening
  t.equal(qmp.outOfBand, false)
  await t.rejects(qmp.executeOutOfBand('yank', { instances: [] }), { code: 'no-out-of-band', command: 'yank' })
  t.equal(other.asked.length, 1)
})

for (const [what, said] of [
  ['a human monitor', "QEMU 7.2.22 monitor - type 'help' for more information\r\n"],
  ['a number', '1\n'],
  ['an answer to nobody', '{"return":{},"id":77}\n'],
] as const)
  t.test(`no QMP: ${what}`, async t => {
    const other = new Other()
    const opening = openQmp(other)
    other.sends(said)
    await t.rejects(opening, { name: 'QmpError', code: 'EPROTO', message: /this is no QMP/ })
    t.equal(other.closed, true)
  })

t.test('a monitor that another client has never greets', async t => {
  const other = new Other()
  await t.rejects(openQmp(other, { signal: AbortSignal.timeout(20) }), {
    code: 'ECANCELED',
    message: /has another client this monitor/,
  })
  t.equal(other.closed, true)
})

t.test('a refusal has the class and the words of QEMU', async t => {
  const { qmp } = await open(({ id }, other) =>
    other.says({ id, error: { class: 'DeviceNotFound', desc: 'no \u001b[31m here' } }),
  )
  await t.rejects(qmp.execute('blockdev-del', { 'node-name': 'x' }), {
    name: 'QmpError',
    code: 'refused',
    command: 'blockdev-del',
    errorClass: 'DeviceNotFound',
    description: 'no \u001b[31m here',
    message: 'QEMU refuses blockdev-del: no ␛[31m here (DeviceNotFound)',
  })
})

t.test('a reply that breaks the schema is no success', async t => {
  const { qmp } = await open(({ id }, other) => other.says({ id, return: { running: 'yes' } }))
  await t.rejects(qmp.run(queryStatus), { code: 'EPROTO', command: 'query-status' })
})

t.test('values go in as JSON, whatever they hold', async t => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async text => {
      const { qmp, other } = await open(({ id }, other) => other.says({ id, return: {} }))
      await qmp.execute('x', { text })
      t.same(other.asked.at(-1)?.arguments, {
        text: text.toWellFormed() === text ? text : JSON.parse(JSON.stringify(text)),
      })
    }),
    { numRuns: 50 },
  )
  const { qmp, other } = await open()
  await t.rejects(qmp.execute('x', { big: 1n }), TypeError, 'what JSON cannot say is not sent')
  t.equal(other.asked.length, 1)
})

t.test('answers cut anywhere, with events between', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), async sizes => {
      const { qmp, other } = await open()
      const events = qmp.events()
      const first = qmp.execute('a')
      const second = qmp.execute('b')
      await delay(0)
      const [, { id: one }, { id: two }] = other.asked as [Asked, Asked, Asked]
      const messages = [
        { event: 'STOP', data: {}, timestamp: { seconds: 1, microseconds: 500_000 } },
        { return: 'é', id: one },
        { event: 'RESUME', timestamp: { seconds: -1, microseconds: -1 } },
        { return: 2, id: two },
      ]
      let rest = Buffer.from(messages.map(message => `${JSON.stringify(message)}\r\n`).join(''))
      for (let index = 0; rest.length > 0; index++) {
        const size = sizes[index % sizes.length]!
        other.sends(rest.subarray(0, size) as unknown as string)
        rest = rest.subarray(size)
      }
      t.same(await Promise.all([first, second]), ['é', 2])
      t.same((await events.next()).value, { name: 'STOP', data: {}, time: 1500 })
      t.same((await events.next()).value, { name: 'RESUME', data: {}, time: undefined })
      await qmp.close()
    }),
    { numRuns: 50 },
  )
})

t.test('eight commands are with QEMU at a time; one out of band passes those that wait', async t => {
  const { qmp, other } = await open()
  const many = Array.from({ length: 12 }, (_, index) => qmp.execute(`c${index}`))
  const passing = qmp.executeOutOfBand('yank', { instances: [] })
  await delay(0)
  t.equal(other.asked.length, 1 + 8 + 1)
  const { id } = other.asked.at(-1)!
  other.says({ id, return: {} })
  await passing
  for (let index = 1; index <= 12; index++)
    other.says({ id: other.asked.filter(asked => asked.execute)[index]!.id, return: index })
  t.same(
    await Promise.all(many),
    Array.from({ length: 12 }, (_, index) => index + 1),
  )
})

t.test('a command whose time is up may yet be answered; the others go on', async t => {
  const { qmp, other } = await open()
  const late = qmp.execute('slow', {}, { timeout: 20 })
  await t.rejects(late, { code: 'ETIMEDOUT', command: 'slow' })
  const [, slow] = other.asked
  other.says({ id: slow!.id, return: {} })
  const next = qmp.execute('next')
  await delay(0)
  other.says({ id: other.asked.at(-1)!.id, return: 'there' })
  t.equal(await next, 'there')
})

t.test('a connection that is lost fails commands and events alike', async t => {
  const { qmp, other } = await open()
  const events = qmp.events()
  const waiting = qmp.execute('quit')
  other.sends('{"return":')
  other.close()
  await t.rejects(waiting, { code: 'ECONNRESET', message: /in the middle of a message/ })
  await t.rejects(events.next(), { code: 'ECONNRESET' })
  await t.rejects(qmp.execute('x'), { code: 'ECONNRESET' })
  await t.rejects(qmp.events().next(), { code: 'ECONNRESET' })
  t.match(await qmp.closed, { code: 'ECONNRESET' })
})

t.test('after close commands fail, events end, and closed has no error', async t => {
  const { qmp } = await open()
  const events = qmp.events()
  const waiting = qmp.execute('x')
  await qmp.close()
  await t.rejects(waiting, { code: 'EBADF' })
  t.same(await events.next(), { done: true, value: undefined })
  t.equal(await qmp.closed, undefined)
})

t.test('events: only those asked for, and not more than are kept', async t => {
  const { qmp, other } = await open()
  const stops = qmp.events({ names: ['STOP'], capacity: 2 })
  const say = (name: string) => other.says({ event: name })
  for (const name of ['STOP', 'RESUME', 'STOP']) say(name)
  t.same(((await stops.next()).value as QmpEvent).name, 'STOP')
  for (let more = 0; more < 3; more++) say('STOP')
  await t.rejects(drain(stops), { code: 'EOVERFLOW' })
})

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}

t.test('a line without an end takes no unbounded memory', async (t: Test) => {
  const { qmp, other } = await open()
  const megabyte = 'x'.repeat(1 << 20)
  for (let sent = 0; sent < 70 && !other.closed; sent++) other.sends(megabyte)
  t.equal(other.closed, true)
  t.match(await qmp.closed, { code: 'EPROTO' })
})

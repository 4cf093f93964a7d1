import t from 'tap'
import type { HubLink } from '#xenlight/replication/agent/hub-link.js'
import { SinkGroup, type SinkGroupOptions } from '#xenlight/replication/agent/sink-group.js'
import type { Message, StreamMessage } from '#xenlight/replication/wire/message.js'
import { PlayedClock } from './model/played-clock.js'

/** A group with a hub that says what it is told to. */
function sink({ isCopy = true, ...options }: Partial<SinkGroupOptions> & { isCopy?: boolean } = {}) {
  const clock = new PlayedClock()
  const sent: Message[] = []
  const events: string[] = []
  const group = new SinkGroup({
    name: 'group',
    volumes: [{ name: 'disk', number: 3, size: 1 << 30 }],
    clock,
    newId: () => `stream-${sent.length}`,
    began: ({ holds }) => events.push(`began ${holds}`),
    lost: reason => events.push(`lost ${reason}`),
    ...options,
  })
  const link: HubLink = { channel: 1, unsent: 0, heard: 0, send: message => sent.push(message), reject: () => {} }
  const work = async () => {
    await new Promise(resolve => setImmediate(resolve))
    while (clock.isBusy) clock.step()
    // what is sent is gathered for a while
    clock.pass(2)
    await new Promise(resolve => setImmediate(resolve))
  }
  const attach = async (holds = false) => {
    group.connected(link)
    group.receive({ kind: 'attached', channel: 1, epoch: 0, replica: 'r', holds, window: 2 ** 40 })
    await work()
  }
  const data = () => sent.filter((message): message is StreamMessage => 'sequence' in message)
  return { group, disk: (isCopy ? group.copies : group.volumes)[0]!, sent, data, events, work, attach, link }
}

t.test('what is written goes to the hub, as copies or as writes', async t => {
  for (const [isCopy, kinds] of [
    [true, ['unsettled', 'fill', 'fillZero', 'settled']],
    [false, ['unsettled', 'write', 'zero', 'settled']],
  ] as const) {
    const { group, disk, data, events, work, attach } = sink({ isCopy })
    await t.rejects(disk.write(0, new Uint8Array(512)), { code: 'EIO' }, 'before there is a hub')
    await attach()
    t.strictSame(events, ['began false'])
    await disk.write(512, new Uint8Array(512).fill(1))
    await disk.writeZeroes(4096, 512)
    disk.trim()
    let isSettled = false
    group.settled().then(() => {
      isSettled = true
    })
    await work()
    t.strictSame(
      data().map(({ kind }) => kind),
      kinds,
    )
    t.match(data()[1], { volume: 3, offset: 512 })
    t.notOk(isSettled)
    t.equal(group.base, undefined, 'nothing is known of the rest before')
    group.receive({ kind: 'durable', channel: 1, sequence: 4 })
    await work()
    t.ok(isSettled)
    t.match(group.base, { replica: 'r', sequence: 4 })
    t.throws(() => disk.read(), { code: 'EIO' })
  }
})

t.test('a flush is through when the hub has all that was written before', async t => {
  const { group, disk, work, attach } = sink({ isCopy: false })
  await attach()
  await disk.write(0, new Uint8Array(512))
  let isFlushed = false
  disk.flush().then(() => {
    isFlushed = true
  })
  await work()
  t.notOk(isFlushed)
  group.receive({ kind: 'durable', channel: 1, sequence: 2 })
  await work()
  t.ok(isFlushed)
  await disk.flush()
})

t.test('who writes faster than the hub takes it waits; where the hub takes no more, it fails', async t => {
  const { group, disk, events, work, attach } = sink({ memory: 256 * 1024 })
  await attach()
  const outcomes: string[] = []
  const piece = new Uint8Array(64 * 1024)
  for (let at = 0; at < 8; at++)
    disk.write(at * piece.length, piece).then(
      () => outcomes.push(`written ${at}`),
      ({ code }) => outcomes.push(`${code} ${at}`),
    )
  await work()
  const { length } = outcomes
  t.ok(length > 0 && length < 4, `${length} have room`)
  group.receive({ kind: 'durable', channel: 1, sequence: length })
  await work()
  t.ok(outcomes.length > length)
  t.ok(outcomes.every((outcome, at) => outcome === `written ${at}`))
  group.receive({ kind: 'stopped', channel: 1, code: 'fenced', message: 'another one has taken over' })
  await work()
  t.equal(outcomes.length, 8)
  t.equal(outcomes[7], 'EIO 7')
  t.strictSame(events, ['began false', 'lost hub-stopped'])
  await t.rejects(disk.flush(), { code: 'EIO' })
  await t.rejects(group.settled(), { code: 'lost' })
  t.notOk(group.unsettled('a cycle'))
})

t.test('a write that is larger than the memory goes through in pieces, as the hub takes them', async t => {
  const { group, disk, data, events, work, attach } = sink({ memory: 1 })
  await attach()
  const bytes = Uint8Array.from({ length: 1024 * 1024 }, (_, at) => at % 251)
  let isWritten = false
  disk.write(4096, bytes).then(() => {
    isWritten = true
  })
  for (let left = 100; !isWritten && left > 0; left--) {
    await work()
    t.ok(group.stream.queued <= 256 * 1024)
    group.receive({ kind: 'durable', channel: 1, sequence: group.stream.last })
  }
  await work()
  t.ok(isWritten)
  t.strictSame(events, ['began false'], 'the stream was not lost')
  const came = new Uint8Array(bytes.length)
  for (const message of data()) if (message.kind === 'fill') came.set(message.data, message.offset - 4096)
  t.ok(Buffer.from(came).equals(bytes))
})

t.test('over another connection it goes on where it was', async t => {
  const { group, disk, sent, data, events, work, attach, link } = sink()
  await attach()
  await disk.write(0, new Uint8Array(512))
  await work()
  group.disconnected()
  const written = disk.write(512, new Uint8Array(512))
  group.connected(link)
  t.match(sent.at(-1), { kind: 'attach', oldest: 1 })
  group.receive({ kind: 'attached', channel: 1, epoch: 0, replica: 'r', received: 1, holds: false, window: 2 ** 40 })
  await written
  await work()
  t.strictSame(
    data().map(({ sequence }) => sequence),
    [1, 2, 2, 3],
  )
  t.strictSame(events, ['began false'])
})

t.test('where the base holds, the next one is known at once', async t => {
  const base = { replica: 'r', stream: 'earlier', sequence: 7 }
  const { group, sent, events, work, attach } = sink({ base })
  await attach(true)
  t.match(sent[0], { kind: 'attach', previous: base })
  t.strictSame(events, ['began true'])
  t.equal(group.base, base)
  group.receive({ kind: 'durable', channel: 1, sequence: 1 })
  await work()
  t.match(group.base, { sequence: 1 })
})

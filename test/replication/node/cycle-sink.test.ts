import { randomUUID } from 'node:crypto'
import t from 'tap'
import { SinkGroup } from '#xenlight/replication/agent/sink-group.js'
import { CycleSink } from '#xenlight/replication/node/cycle-sink.js'
import { nodeClock } from '#xenlight/replication/node/node-clock.js'
import { SyncProgress } from '#xenlight/replication/node/sync-progress.js'
import type { Message } from '#xenlight/replication/wire/message.js'
import { eventually } from '../../protocol-d/eventually.js'

/** A sink at a hub that says what it is told to. */
function sinkAtHub() {
  const sent: Message[] = []
  let run = 0
  const sink: SinkGroup = new SinkGroup({
    ...{ name: 'web', volumes: [{ name: 'root', number: 0, size: 65_536 }], clock: nodeClock, newId: randomUUID },
    began: () => run++,
    lost: () => run++,
  })
  const send = (message: Message) => sent.push(message)
  sink.connected({ channel: 1, unsent: 0, heard: 0, send, reject: error => t.fail(error.message) })
  const say = (message: object) => sink.receive({ channel: 1, ...message } as Message)
  const attach = async () => {
    const before = run
    say({ kind: 'attached', epoch: 0, replica: randomUUID(), holds: false, window: 1e6 })
    await eventually('it is attached', () => run > before)
  }
  const parts = { sink, run: () => run, progress: new SyncProgress(nodeClock, { isFirst: true }), changed: () => {} }
  return { sink, sent, say, attach, target: new CycleSink(parts, () => 0), parts }
}

const start = { cycle: 1, whole: [], due: [{ volume: 'root', bytes: 65_536 }] }

t.test('a cycle is a moment with the time that it is of, and its name', async t => {
  const { attach, target, say, sink, sent, parts } = sinkAtHub()
  t.throws(() => target.begin('x', start), { code: 'lost' })
  await attach()
  target.name('here')
  target.begin('x', start)
  await target.backend('root').write(0, Buffer.alloc(512, 1))
  const completed = target.complete(1234)
  await eventually('it is sent', () => sent.at(-1)?.kind === 'point')
  const marks = sent.filter(message => 'sequence' in message)
  t.match(marks, [
    { kind: 'unsettled', sequence: 1 },
    { kind: 'unsettled', reason: 'x' },
    { kind: 'fill', offset: 0 },
    { kind: 'settled', time: 1234 },
    { kind: 'point', name: 'here', time: 1234, sequence: 5 },
  ])
  t.equal(parts.progress.isSettled, false)
  say({ kind: 'durable', sequence: sink.stream.last })
  await completed
  t.match(target.point, { name: 'here', time: 1234 })
  t.equal(parts.progress.isSettled, true)
})

t.test('a cycle whose stream is lost does not go on in the next one', async t => {
  const { attach, target, say, sink } = sinkAtHub()
  await attach()
  target.begin('x', start)
  const backend = target.backend('root')
  await backend.write(0, Buffer.alloc(512, 1))
  say({ kind: 'stopped', code: 'file-failed', message: 'no' })
  say({ kind: 'ready', group: 'web' })
  await attach()
  t.equal(sink.stream.isOpen, true)
  await t.rejects(async () => backend.write(512, Buffer.alloc(512, 1)), { code: 'EIO' })
  await t.rejects(target.complete(1), { code: 'lost' })
  target.begin('y', start)
  await backend.write(0, Buffer.alloc(512, 1))
  target.abort()
  await t.rejects(async () => backend.write(0, Buffer.alloc(512, 1)), { code: 'EIO' })
  sink.disconnected()
})

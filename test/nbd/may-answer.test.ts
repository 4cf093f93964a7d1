import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { connectNbd, listenNbd, MemoryBackend } from 'xenlight/nbd'
import { eventually } from '../protocol-d/eventually.js'
import { socketFolder } from './socket-folder.js'

t.test('a client is told nothing once it may not be, also where it might be again', async t => {
  const path = join(socketFolder(t), 's')
  const backend = new MemoryBackend(1024 * 1024)
  let mayAnswer = true
  const server = await listenNbd({ path }, [{ name: 'a', backend }], { mayAnswer: () => mayAnswer })
  t.teardown(() => server.close())
  const client = await connectNbd({ path }, { export: 'a' })
  await client.write(0, Buffer.alloc(512, 1))
  t.same(await client.read(0, 512), Buffer.alloc(512, 1))
  mayAnswer = false
  const outcomes: string[] = []
  const note = (what: string, work: Promise<unknown>) =>
    work.then(
      () => outcomes.push(`${what} was answered`),
      () => outcomes.push(`${what} was lost`),
    )
  const write = note('write', client.write(0, Buffer.alloc(512, 2)))
  await eventually('it is written', () => (backend.read(0, 1) as Uint8Array)[0] === 2)
  mayAnswer = true
  // of what is long, two parts are sent
  const rest = [note('read', client.read(0, 256 * 1024)), note('flush', client.flush())]
  for (let turn = 0; turn < 100; turn++) await setImmediate()
  t.strictSame(outcomes, [])
  await server.drop('a')
  await Promise.all([write, ...rest])
  t.strictSame(outcomes.sort(), ['flush was lost', 'read was lost', 'write was lost'])
  const other = await connectNbd({ path }, { export: 'a' })
  t.same(await other.read(0, 512), Buffer.alloc(512, 2), 'another client is')
  await other.disconnect()
})

import { join } from 'node:path'
import t from 'tap'
import { connectNbd, listenNbd, MemoryBackend } from 'xenlight/nbd'
import { eventually } from '../protocol-d/eventually.js'
import { RawClient } from './raw-client.js'
import { socketFolder } from './socket-folder.js'

t.test('who serves hears who has left an export, and how', async t => {
  const path = join(socketFolder(t), 's')
  const heard: string[] = []
  const exports = ['a', ''].map(name => ({ name, backend: new MemoryBackend(1024) }))
  const server = await listenNbd({ path }, exports, { onLeft: (name, how) => heard.push(`${name} ${how}`) })
  t.teardown(() => server.close())
  const one = await connectNbd({ path }, { export: 'a' })
  const two = await connectNbd({ path }, { export: 'a' })
  t.strictSame([server.clients('a'), server.clients(''), server.connections], [2, 0, 2])
  await one.disconnect()
  await eventually('it is heard', () => heard.length === 1)
  t.equal(server.clients('a'), 1)
  {
    using lost = new RawClient(path)
    await lost.enter()
    t.equal(server.clients(''), 1)
    lost.socket.destroy()
    await eventually('it is heard', () => heard.length === 2)
  }
  using undecided = new RawClient(path)
  undecided.socket.destroy()
  await server.drop('a')
  await two.closed
  await eventually('all are heard', () => heard.length === 3 && server.connections === 0)
  t.strictSame(heard, ['a goodbye', ' lost', 'a lost'])
})

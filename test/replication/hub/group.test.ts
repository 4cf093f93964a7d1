import t from 'tap'
import { createRandom } from '../../support/random.js'
import { PlayedDisk } from './played-disk.js'
import { groupOf, PlayedGuest } from './played-group.js'
import { playHub } from './played-hub.js'

t.test('a group whose history is damaged says so, and the hub goes on', async t => {
  const disk = new PlayedDisk()
  const hub = await playHub(disk)
  const guest = new PlayedGuest(hub, createRandom(1))
  await guest.begin(hub)
  await guest.live(hub, 40)
  await hub.close()
  const segments = disk.folder.folder('groups').folder('web').folder('1').folder('journal').folder('segments')
  const [index] = segments.list().filter(name => name.endsWith('.idx'))
  const spoil = (name: string, at: (bytes: Buffer) => number) => {
    const file = segments.open(name, 'write')
    const bytes = Buffer.alloc(file.size)
    file.readInto(0, bytes)
    file.write(at(bytes), Buffer.from([bytes[at(bytes)]! ^ 1]))
    file.close()
  }
  // its spans, and one of the records that they could be read from
  spoil(index!, bytes => 56 + ((bytes.readUInt32LE(12) + 7) & ~7) + bytes.readUInt32LE(32) * 48)
  spoil(index!.replace('idx', 'seg'), bytes => bytes.length >> 1)
  const again = await playHub(disk)
  t.match(groupOf(again).status(), { state: 'disconnected', problem: /is not what was written/, history: [] })
  await again.look()
  await again.close()
})

t.test('a status stays small, however often the replica was made equal again', async t => {
  const hub = await playHub(new PlayedDisk())
  const guest = new PlayedGuest(hub, createRandom(2))
  await guest.begin(hub)
  const { agent, channel } = guest
  let last = 0
  for (let count = 0; count < 5000; count++) {
    agent.say(channel, { kind: 'unsettled', reason: 'again' })
    last = agent.say(channel, { kind: 'settled' })
  }
  await agent.allDurable(channel, last)
  const { history, newest } = groupOf(hub).status()
  t.equal(history.length, 1000)
  t.same(history.at(-1)!.to, newest)
  const all = groupOf(hub).journal.history()
  t.ok(all.length > 5000)
  t.equal(JSON.stringify(history), JSON.stringify(all.slice(-1000)))
  await hub.close()
})

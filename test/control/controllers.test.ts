import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { connectDiskControl, createReplicatedDisk, ServedDisk } from 'xenlight/protocol-d'
import { connectControl } from '#xenlight/replication/node/connect-control.js'
import { serveControl } from '#xenlight/replication/node/serve-control.js'
import { socketFolder } from '../nbd/socket-folder.js'
import { megabyte } from '../protocol-d/disk-pair.js'
import { reach } from '../protocol-d/raw-peer.js'

async function served(t: Test): Promise<{ node: ServedDisk; control: string }> {
  const folder = socketFolder(t)
  const [data, control] = [`${folder}/disk`, `${folder}/c`]
  await createReplicatedDisk({ data, size: megabyte, pair: 'pair', logSize: 64 * megabyte })
  const peer = { listen: { path: `${folder}/p` } }
  const node = await ServedDisk.serve({ data, pair: 'pair', peer, name: 'disk', nbd: `${folder}/n`, control })
  t.teardown(() => node.close())
  return { node, control }
}

t.test('those who are connected and ask nothing keep nobody out', async t => {
  const { control } = await served(t)
  for (let idle = 0; idle < 40; idle++) {
    const socket = await reach(control)
    t.teardown(() => socket.destroy())
  }
  await using asking = await connectDiskControl(control)
  t.match(await asking.status({ timeout: 5000 }), { role: 'secondary' })
  await asking.promote({ force: true })
  t.match(await asking.status({ timeout: 5000 }), { role: 'primary' })
})

t.test('one that asks and does not read is ended, and the node ends beside one', async t => {
  const { node, control } = await served(t)
  const socket = await reach(control)
  t.teardown(() => socket.destroy())
  let isEnded = false
  socket.once('close', () => {
    isEnded = true
  })
  socket.pause()
  for (let round = 0; round < 400 && !isEnded; round++) {
    socket.write('{"id":1,"execute":"status"}\n'.repeat(20))
    await delay(1)
  }
  await using other = await connectDiskControl(control)
  t.match(await other.status({ timeout: 5000 }), { role: 'secondary' })
  const began = performance.now()
  await node.close()
  t.ok(performance.now() - began < 5000)
})

t.test('what is no question ends the connection', async t => {
  const { control } = await served(t)
  const lines = [
    'status',
    '{"id":1}',
    '{"id":1,"execute":"rm"}',
    '{"id":1,"execute":"wait","arguments":{"timeout":-1}}',
    '{"id":1,"execute":"demote","arguments":{"force":1}}',
    `{"id":1,"execute":"${'x'.repeat(70_000)}`,
  ]
  for (const line of lines) {
    const socket = await reach(control)
    const closed = new Promise(resolve => socket.once('close', () => resolve(true)))
    socket.write(`${line}\n`)
    t.ok(await Promise.race([closed, delay(5000, false, { ref: false })]), line.slice(0, 60))
  }
  await using asking = await connectDiskControl(control)
  t.match(await asking.status({ timeout: 5000 }), { role: 'secondary' })
})

t.test('a request may be as long as who serves says, and only so much of them is under way', async t => {
  const control = `${socketFolder(t)}/c`
  const data = 'x'.repeat(1.5 * megabyte)
  const close = await serveControl(
    control,
    (execute, given) => (execute === 'never' ? new Promise(() => {}) : Promise.resolve(String(given['data']).length)),
    2 * megabyte,
  )
  const client = await connectControl(control, 'it')
  for (let round = 0; round < 4; round++)
    t.equal(await client.ask('anything', { data }, { timeout: 60_000 }), data.length)
  for (const lines of [
    [`{"id":1,"execute":"anything","arguments":{"data":"${data}${data}"}}`],
    [1, 2, 3].map(id => `{"id":${id},"execute":"never","arguments":{"data":"${data}"}}`),
  ]) {
    const socket = await reach(control)
    const closed = new Promise(resolve => socket.once('close', () => resolve(true)))
    socket.write(`${lines.join('\n')}\n`)
    t.ok(await closed, `${lines.length} lines`)
  }
  t.equal(await client.ask('anything', { data }, { timeout: 60_000 }), data.length, 'others go on')
  await client.close()
  await close()
})

t.test('an answer may be long', async t => {
  const control = `${socketFolder(t)}/c`
  const long = 'x'.repeat(8 * megabyte)
  const close = await serveControl(control, async () => long)
  const client = await connectControl(control, 'it')
  t.equal(await client.ask('anything', {}, { timeout: 60_000 }), long)
  await client.close()
  await close()
})

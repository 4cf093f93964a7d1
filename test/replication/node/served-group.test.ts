import { closeSync, linkSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connectNbd } from 'xenlight/nbd'
import { Agent, HubServer } from 'xenlight/replication'
import { ServedGroup } from '#xenlight/replication/node/served-group.js'
import { eventually } from '../../protocol-d/eventually.js'
import { MemoryDisk } from '../memory-folder.js'
import { mebibyte, place } from './place.js'

/** Writes to an image, and no agent hears of it. */
function writeBeside(image: string, text: string): void {
  const descriptor = openSync(image, 'r+')
  writeSync(descriptor, text, mebibyte)
  closeSync(descriptor)
}

/** A place with a hub. */
async function served(t: Test) {
  const all = place(t)
  const server = await HubServer.open(all.hub)
  t.teardown(() => server.close())
  const control = server.hub.control('owner')
  /** Has an agent run until its disks are protected; then the hub has what the images have. */
  const checkWhole = async (disks: Readonly<Record<string, string>>) => {
    await using one = await Agent.open(all.agentOf(disks))
    await eventually(
      'it is protected',
      () => one.status.groups[0]!.volumes.every(({ state }) => state.state === 'protected'),
      () => JSON.stringify(one.status),
    )
    await control.test('web', { branch: 'look' })
    for (const [disk, image] of Object.entries(disks)) {
      await using look = await connectNbd({ path: join(all.folder, 'n') }, { export: `web/look/${disk}` })
      t.ok(Buffer.from(await look.read(0, look.size)).equals(readFileSync(image)), disk)
    }
    await control.discard('web', 'look')
  }
  return { ...all, checkWhole }
}

t.test('a disk that was left out for a while is compared: nobody noted what was written to it', async t => {
  const { image, newImage, checkWhole } = await served(t)
  const data = newImage('data.img')
  await checkWhole({ root: image, data })
  await checkWhole({ root: image })
  writeBeside(data, 'beside')
  await checkWhole({ root: image, data })
})

t.test('another image for a disk, of the same size, is compared', async t => {
  const { folder, image, newImage, checkWhole } = await served(t)
  const data = newImage('data.img')
  writeBeside(data, 'data')
  await checkWhole({ root: image, data })
  await checkWhole({ root: data, data: image })
  writeBeside(newImage('new.img'), 'new')
  renameSync(join(folder, 'new.img'), image)
  await checkWhole({ root: data, data: image })
})

t.test('an image that was written to after the agent had ended is compared', async t => {
  const { image, checkWhole } = await served(t)
  await checkWhole({ root: image })
  writeBeside(image, 'beside')
  await checkWhole({ root: image })
})

t.test('an image is one disk of one agent', async t => {
  const { folder, image, newImage, agentOf } = await served(t)
  const data = newImage('data.img')
  const link = join(folder, 'link.img')
  linkSync(image, link)
  await t.rejects(Agent.open(agentOf({ root: image, data: link })), { code: 'in-use', message: /link\.img/ })
  await using _ = await Agent.open(agentOf({ root: image, data }))
  await t.rejects(Agent.open(agentOf({ other: data }, 'agent2', 'run2')), { code: 'in-use', message: /data\.img/ })
})

t.test('without its record of the group an agent compares all', async t => {
  const { folder, image, checkWhole } = await served(t)
  await checkWhole({ root: image })
  writeBeside(image, 'beside')
  rmSync(join(folder, 'agent/groups/web/group.json'))
  await checkWhole({ root: image })
})

t.test('a disk may have any name', async t => {
  const { image, newImage, checkWhole } = await served(t)
  const all = { constructor: image, valueOf: newImage('data.img') }
  await checkWhole(all)
})

t.test('the end of a fail-back is noted, whatever else is', async t => {
  const { folder, image } = place(t)
  const disk = new MemoryDisk()
  const open = () =>
    ServedGroup.open({
      ...{ name: 'web', disks: { root: { image, format: 'raw' } }, run: join(folder, 'run'), boot: 'boot' },
      ...{ buffer: { memory: mebibyte, file: mebibyte }, target: 1000, hubMay: ['fail-back'], changed: () => {} },
      folder: disk.folder,
    })
  const group = await open()
  await group.beginReturn()
  await group.endReturn({ replica: 'r', stream: 's', sequence: 1 }, 7)
  await group.close()
  await using again = await open()
  t.match(again, { isReturning: false, status: { epoch: 7 } })
})

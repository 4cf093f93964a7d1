import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { addDisk, listDisks, parseDisk, removeDisk } from 'xenlight'
import { connect } from 'xenlight/xenstore'
import { run } from './dom0.js'
import { Guest } from './guest.js'

const folder = mkdtempSync(join(tmpdir(), 'saved-'))
const timeouts = { backend: 60_000, hotplug: 120_000, settle: 20_000 }

async function image(name: string): Promise<string> {
  const path = join(folder, `${name}.qcow2`)
  await run('qemu-img', 'create', '-q', '-f', 'qcow2', path, '1M')
  return path
}

test('a disk attached, and one detached, stay so when xl saves and restores the guest', async () => {
  const guest = await Guest.create('saved', folder, await image('first'))
  const store = await connect()
  const attach = async (vdev: string) => {
    const disk = parseDisk(`format=qcow2,vdev=${vdev},access=rw,backendtype=qdisk,target=${await image(vdev)}`)
    await addDisk(store, disk, { domid: guest.domid, timeouts })
    await guest.sees(vdev)
  }
  await attach('xvdb')
  await attach('xvdc')
  await removeDisk(store, guest.domid, 'xvdb', { timeouts })

  const saved = join(folder, 'saved')
  await run('xl', 'save', 'saved', saved)
  await run('xl', 'restore', saved)
  const domid = Number(await run('xl', 'domid', 'saved'))
  assert.notEqual(domid, guest.domid)
  const disks = await listDisks(store, domid)
  assert.deepEqual(disks.map(({ vdev }) => vdev).sort(), ['xvdc', 'xvdy'])
  assert.equal(disks.find(({ vdev }) => vdev === 'xvdc')?.disk?.pdevPath, join(folder, 'xvdc.qcow2'))

  await store.close()
  await run('xl', 'destroy', 'saved')
})

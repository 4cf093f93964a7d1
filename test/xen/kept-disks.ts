import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { addDisk, listDisks, parseDisk, removeDisk } from 'xenlight'
import { connect, type Xenstore } from 'xenlight/xenstore'
import { eventually, run } from './dom0.js'
import { Guest } from './guest.js'

const folder = mkdtempSync(join(tmpdir(), 'kept-'))
const timeouts = { backend: 60_000, hotplug: 120_000, settle: 20_000 }

let store: Xenstore
before(async () => {
  store = await connect()
})
after(() => store.close())

async function image(name: string): Promise<string> {
  const path = join(folder, `${name}.qcow2`)
  await run('qemu-img', 'create', '-q', '-f', 'qcow2', path, '1M')
  return path
}

/** A guest that was created with xvdy, got xvdb and xvdc, and lost xvdb again. */
async function changedGuest(name: string): Promise<Guest> {
  const guest = await Guest.create(name, folder, await image(`${name}-xvdy`))
  for (const vdev of ['xvdb', 'xvdc']) {
    const target = await image(`${name}-${vdev}`)
    const disk = parseDisk(`format=qcow2,vdev=${vdev},access=rw,backendtype=qdisk,target=${target}`)
    await addDisk(store, disk, { domid: guest.domid, timeouts })
    await guest.sees(vdev)
  }
  await removeDisk(store, guest.domid, 'xvdb', { timeouts })
  return guest
}

/** The same guest under its new number has the disks that it had. */
async function keptDisks(name: string, before: number): Promise<void> {
  const domid = await eventually('another domain of that name', async () => {
    const domid = Number(await run('xl', 'domid', name).catch(() => '0'))
    return domid > before ? domid : undefined
  })
  const disks = await eventually('its disks', async () => {
    const disks = await listDisks(store, domid)
    return disks.length < 2 ? undefined : disks
  })
  assert.deepEqual(disks.map(({ vdev }) => vdev).sort(), ['xvdc', 'xvdy'])
  assert.equal(disks.find(({ vdev }) => vdev === 'xvdc')?.disk?.pdevPath, join(folder, `${name}-xvdc.qcow2`))
  await run('xl', 'destroy', name)
}

test('a disk attached, and one detached, stay so when xl saves and restores the guest', async () => {
  const { domid } = await changedGuest('saved')
  const file = join(folder, 'saved')
  await run('xl', 'save', 'saved', file)
  await run('xl', 'restore', file)
  await keptDisks('saved', domid)
})

test('and when the guest reboots', async () => {
  const { domid } = await changedGuest('rebooted')
  await run('xl', 'reboot', 'rebooted')
  await keptDisks('rebooted', domid)
})

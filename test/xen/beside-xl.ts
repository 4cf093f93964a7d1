import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { addDisk, listDisks, parseDisk, removeDisk } from 'xenlight'
import { connect, type Xenstore } from 'xenlight/xenstore'
import { blockList, run, wholeTree } from './dom0.js'
import { Guest } from './guest.js'

const execute = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'beside-'))
const timeouts = { backend: 60_000, hotplug: 120_000, settle: 20_000 }

/** By turns and at once, of all together. */
const rounds = Number(process.argv[2] ?? 100)

let guest: Guest
let store: Xenstore
let untouched: string[]
const images: string[] = []

const specOf = (vdev: string, image: string) => `format=qcow2,vdev=${vdev},access=rw,backendtype=qdisk,target=${image}`

/** Whether xl says that it did it. */
const xl = (...args: string[]): Promise<boolean> =>
  execute('xl', args).then(
    () => true,
    () => false,
  )

const theirs = {
  attach: (vdev: string) => xl('block-attach', String(guest.domid), specOf(vdev, images[0]!)),
  detach: (vdev: string) => xl('block-detach', String(guest.domid), vdev),
}

const done = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  )

const ours = {
  attach: (vdev: string) => done(addDisk(store, parseDisk(specOf(vdev, images[1]!)), { domid: guest.domid, timeouts })),
  detach: (vdev: string) => done(removeDisk(store, guest.domid, vdev, { timeouts })),
}

const vdevsOfLibxl = async (): Promise<string[]> => {
  const [domain] = JSON.parse(await run('xl', 'list', '-l', String(guest.domid)))
  return (domain.config.disks ?? []).map(({ vdev }: { vdev: string }) => vdev).sort()
}

/** All lists name these disks, and that which is there from the start. */
async function agree(round: string, ...vdevs: string[]): Promise<void> {
  const disks = await listDisks(store, guest.domid)
  assert.deepEqual(disks.map(({ vdev }) => vdev).sort(), [...vdevs, 'xvdy'].sort(), round)
  assert.deepEqual(await vdevsOfLibxl(), [...vdevs, 'xvdy'].sort(), round)
  const devids = (await blockList(guest.domid)).map(({ devid }) => devid)
  assert.deepEqual(
    devids,
    disks.map(({ devid }) => devid).sort((a, b) => a - b),
    round,
  )
}

describe('beside xl on one guest', () => {
  before(async () => {
    for (const name of ['theirs', 'ours']) {
      const image = join(folder, `${name}.qcow2`)
      await run('qemu-img', 'create', '-q', '-f', 'qcow2', image, '1M')
      images.push(image)
    }
    const image = join(folder, 'first.qcow2')
    await run('qemu-img', 'create', '-q', '-f', 'qcow2', image, '1M')
    guest = await Guest.create('pv3', folder, image)
    store = await connect()
    untouched = await wholeTree()
  })

  after(async () => {
    await store?.close()
    await guest?.destroy()
  })

  test('by turns: what one attaches the other sees and detaches', async () => {
    for (let round = 0; round < rounds / 4; round++) {
      const [first, second] = round % 2 === 0 ? [ours, theirs] : [theirs, ours]
      assert(await first.attach('xvdb'), `round ${round}`)
      await agree(`round ${round}`, 'xvdb')
      assert.equal(await second.attach('xvdb'), false, `round ${round}: the device is taken`)
      await agree(`round ${round}`, 'xvdb')
      assert(await second.detach('xvdb'), `round ${round}`)
      await agree(`round ${round}`)
    }
  })

  test('at once, different devices: both are there, then none', async () => {
    for (let round = 0; round < rounds / 4; round++) {
      const attached = await Promise.all([theirs.attach('xvdb'), ours.attach('xvdc')])
      assert.deepEqual(attached, [true, true], `round ${round}`)
      await agree(`round ${round}`, 'xvdb', 'xvdc')
      const detached = await Promise.all([theirs.detach('xvdc'), ours.detach('xvdb')])
      assert.deepEqual(detached, [true, true], `round ${round}`)
      await agree(`round ${round}`)
    }
  })

  test('at once, one device: exactly one has it, and keeps it', async () => {
    for (let round = 0; round < rounds / 2; round++) {
      const attached = await Promise.all([theirs.attach('xvdb'), ours.attach('xvdb')])
      assert.equal(attached.filter(Boolean).length, 1, `round ${round}: ${attached}`)
      await agree(`round ${round}`, 'xvdb')
      const disk = (await listDisks(store, guest.domid)).find(({ vdev }) => vdev === 'xvdb')?.disk
      assert.equal(disk?.pdevPath, images[attached.indexOf(true)], `round ${round}: the disk of whoever was told so`)
      assert(await (round % 2 === 0 ? ours : theirs).detach('xvdb'), `round ${round}`)
      await agree(`round ${round}`)
    }
  })

  test('nothing is left behind', async () => {
    assert.deepEqual(await wholeTree(), untouched)
    const left = readdirSync('/var/lib/xen').filter(name => /^userdata-[ln]\./.test(name))
    assert.deepEqual(left, [])
  })
})

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, openSync, readSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { addDisk, addDisks, getDisk, LibxlError, listDisks, parseDisk, removeDisk } from 'xenlight'
import { connect, type Xenstore } from 'xenlight/xenstore'
import { blockList, eventually, run, wholeTree } from './dom0.js'
import { Guest } from './guest.js'

const folder = mkdtempSync(join(tmpdir(), 'disks-'))
const raw = join(folder, 'a.raw')
const qcow2 = join(folder, 'b.qcow2')
const missing = join(folder, 'missing.qcow2')

/** An emulated Xen on a busy machine takes its time; the defaults are libxl's. */
const timeouts = { backend: 60_000, hotplug: 120_000, settle: 20_000 }

let loop: string
let emptyLoop: string
let guest: Guest
let store: Xenstore
let untouched: string[]

/** An image with a text at its start, and in its second sector the guest's cue to write there. */
function image(path: string, bytes: number, head: string): string {
  writeFileSync(path, head)
  truncateSync(path, bytes)
  const file = openSync(path, 'r+')
  writeSync(file, 'WRITE-ME!', 512)
  return path
}

/** How an image's second sector begins. */
function secondSector(path: string): string {
  const bytes = Buffer.alloc(16)
  readSync(openSync(path, 'r'), bytes, 0, bytes.length, 512)
  return bytes.toString('latin1')
}

/** Nothing is left of a device: the tree is as it was. QEMU may still be tidying up when a removal is over. */
const isUntouched = () =>
  eventually('the tree is as it was', async () =>
    (await wholeTree()).join() === untouched.join() ? true : undefined,
  ).catch(async () => assert.deepEqual(await wholeTree(), untouched))

/** The library's list of the guest's disks is xl's. */
async function agrees(...vdevs: string[]): Promise<void> {
  const disks = await listDisks(store, guest.domid)
  const kinds: Record<string, string> = { phy: 'vbd', qdisk: 'qdisk' }
  const ours = disks.map(({ devid, disk }) => ({
    devid,
    backend: `/local/domain/0/backend/${kinds[disk?.backend ?? '']}/${guest.domid}/${devid}`,
  }))
  const byDevid = (a: { devid: number }, b: { devid: number }) => a.devid - b.devid
  const theirs = (await blockList(guest.domid)).map(({ devid, backend }) => ({ devid, backend }))
  assert.deepEqual(ours.sort(byDevid), theirs)
  assert.deepEqual(disks.map(({ vdev }) => vdev).sort(), [...vdevs, 'xvdy'].sort())
}

describe('disks of a running guest', () => {
  before(async () => {
    image(raw, 64 << 20, 'RAW-DISK')
    loop = (await run('losetup', '--find', '--show', raw)).trim()
    emptyLoop = (await run('losetup', '--find')).trim()
    const plain = image(join(folder, 'b.raw'), 48 << 20, 'QCOW2-DISK')
    await run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', plain, qcow2)
    const first = join(folder, 'first.qcow2')
    await run('qemu-img', 'create', '-q', '-f', 'qcow2', first, '1M')
    guest = await Guest.create('pv1', folder, first)
    store = await connect()
    untouched = await wholeTree()
  })

  after(async () => {
    await store?.close()
    await guest?.destroy()
  })

  test('a raw and a qcow2 disk are attached at once', async () => {
    const { domid } = guest
    const disks = [
      parseDisk(`format=raw,vdev=xvda,access=rw,target=${loop}`),
      parseDisk(`format=qcow2,vdev=xvdb,access=rw,backendtype=qdisk,target=${qcow2}`),
    ]
    await agrees()
    const attached = await addDisks(store, disks, { domid, timeouts })
    assert.deepEqual(
      attached.map(({ disk }) => disk.backend),
      ['phy', 'qdisk'],
    )
    await agrees('xvda', 'xvdb')
  })

  test('the guest sees them', async () => {
    assert.deepEqual(await guest.sees('xvda'), { sectors: (64 << 20) / 512, readOnly: false, head: 'RAW-DISK' })
    assert.deepEqual(await guest.sees('xvdb'), { sectors: (48 << 20) / 512, readOnly: false, head: 'QCOW2-DISK' })
  })

  test('they are read back as they were attached', async () => {
    const { domid } = guest
    assert.equal((await getDisk(store, domid, 'xvda')).pdevPath, loop)
    const disk = await getDisk(store, domid, 'xvdb')
    assert.deepEqual([disk.pdevPath, disk.format, disk.backend], [qcow2, 'qcow2', 'qdisk'])
  })

  test('a disk on a device number that is taken is refused as libxl refuses it', async () => {
    const { domid } = guest
    const disk = parseDisk(`format=raw,vdev=xvda,access=rw,target=${emptyLoop}`)
    await assert.rejects(addDisk(store, disk, { domid, timeouts }), { name: 'LibxlError', code: 'ERROR_DEVICE_EXISTS' })
    await agrees('xvda', 'xvdb')
  })

  test('the guest writes to both, and both are detached again', async () => {
    const { domid } = guest
    await Promise.all([guest.wrote('xvda'), guest.wrote('xvdb')])
    await removeDisk(store, domid, 'xvda', { timeouts })
    await agrees('xvdb')
    await removeDisk(store, domid, 'xvdb', { timeouts })
    await agrees()
    await Promise.all([guest.lost('xvda'), guest.lost('xvdb')])
    await isUntouched()
  })

  test('what the guest wrote is in the images', async () => {
    const written = 'written-by-guest'
    assert.equal(secondSector(raw), written)
    const plain = join(folder, 'back.raw')
    await run('qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', qcow2, plain)
    assert.equal(secondSector(plain), written)
  })

  test('a missing image is a clear error and leaves no node behind', async () => {
    const { domid } = guest
    for (const backend of ['backendtype=qdisk,', '']) {
      const disk = parseDisk(`format=qcow2,vdev=xvdc,access=ro,${backend}target=${missing}`)
      await assert.rejects(addDisk(store, disk, { domid, timeouts }), (error: Error) => {
        assert(error instanceof LibxlError)
        assert.match(error.message, /missing\.qcow2.*No such file or directory/)
        return true
      })
      await isUntouched()
    }
  })

  test('an empty loop device, which libxl attaches, is a clear error and leaves no node behind', async () => {
    const { domid } = guest
    const disk = parseDisk(`phy:${emptyLoop},xvdd,w`)
    await assert.rejects(addDisk(store, disk, { domid, timeouts }), (error: Error) => {
      assert(error instanceof LibxlError)
      assert.match(error.message, /sectors|empty/)
      return true
    })
    await isUntouched()
  })

  test('an image that QEMU refuses, which libxl does not hear of, is an error and leaves no node behind', async () => {
    const { domid } = guest
    const corrupt = join(folder, 'corrupt.qcow2')
    writeFileSync(corrupt, 'no image '.repeat(1000))
    const disk = parseDisk(`format=qcow2,vdev=xvde,access=rw,backendtype=qdisk,target=${corrupt}`)
    await assert.rejects(addDisk(store, disk, { domid, timeouts: { backend: 3000 } }), { code: 'ERROR_TIMEDOUT' })
    await isUntouched()
  })

  test('a device that dom0 itself uses is refused in the words of its script, and leaves no node behind', async () => {
    const { domid } = guest
    const mounted = join(folder, 'mounted')
    await run('mkfs.ext4', '-q', loop)
    mkdirSync(mounted)
    await run('mount', loop, mounted)
    try {
      const disk = parseDisk(`phy:${loop},xvdf,w`)
      await assert.rejects(addDisk(store, disk, { domid, timeouts }), /is mounted in the privileged domain/)
    } finally {
      await run('umount', mounted)
    }
    await isUntouched()
  })

  test('a guest that does not answer keeps its disk until it is taken by force', async () => {
    const { domid } = guest
    await addDisk(store, parseDisk(`phy:${loop},xvdg,w`), { domid, timeouts })
    await run('xl', 'pause', String(domid))
    try {
      const removal = removeDisk(store, domid, 'xvdg', { timeouts: { backend: 1000 } })
      await assert.rejects(removal, { name: 'LibxlError', code: 'ERROR_TIMEDOUT' })
      await agrees('xvdg')
      assert.equal((await removeDisk(store, domid, 'xvdg', { force: true, timeouts })).forced, true)
      await agrees()
    } finally {
      await run('xl', 'unpause', String(domid))
    }
    await isUntouched()
  })
})

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { addDisk, parseDisk, removeDisk, resolveDiskOnHost } from 'xenlight'
import { buildQdiskBackendArgs } from 'xenlight/dm-args'
import { connect, type Xenstore } from 'xenlight/xenstore'
import { eventually, run } from './dom0.js'
import { Guest } from './guest.js'

const folder = mkdtempSync(join(tmpdir(), 'qdisk-'))
const timeouts = { backend: 60_000, hotplug: 120_000, settle: 20_000 }

let guest: Guest
let store: Xenstore
let qemu: ChildProcess

describe("a PV guest's qdisk backend", () => {
  before(async () => {
    guest = await Guest.create('pv2', folder)
    store = await connect()
  })

  after(async () => {
    await store?.close()
    if (qemu?.exitCode === null && qemu.kill()) await once(qemu, 'exit')
    await guest?.destroy()
  })

  test('QEMU with our arguments serves a disk, which the guest sees', async () => {
    const { domid } = guest
    const image = join(folder, 'disk.qcow2')
    await run('qemu-img', 'create', '-q', '-f', 'qcow2', image, '8M')
    const disk = parseDisk(`format=qcow2,vdev=xvdb,access=rw,target=${image}`)
    const resolved = await resolveDiskOnHost(disk, { domid, domainType: 'pv', domidOf: () => undefined })

    const args = buildQdiskBackendArgs([resolved], { domid, domainType: 'pv' })
    assert.notDeepEqual(args, [])
    qemu = spawn('/usr/libexec/xen-qemu-system-i386', args, { stdio: 'ignore' })
    await eventually('QEMU runs', async () =>
      (await store.readIfPresent(`/local/domain/0/device-model/${domid}/state`)) === 'running' ? true : undefined,
    )
    // as libxl does for a device model that it has started
    await store.write(`/local/domain/${domid}/image/device-model-pid`, String(qemu.pid))

    await addDisk(store, disk, { domid, timeouts })
    assert.equal((await guest.sees('xvdb')).sectors, (8 << 20) / 512)
    await removeDisk(store, domid, 'xvdb', { timeouts })
    await guest.lost('xvdb')
  })
})

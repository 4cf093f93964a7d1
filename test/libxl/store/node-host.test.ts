import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { addDisk, nodeHost, parseDisk } from 'xenlight'
import { storeWith } from '../../support/disk-store.js'

t.test('the domain of the process is 0 unless it is told', t => {
  t.equal(nodeHost().domid, 0)
  t.equal(nodeHost(7).domid, 7)
  t.end()
})

t.test('what a path is', async t => {
  const folder = t.testdir({ file: 'x', dir: {} })
  symlinkSync('loop', join(folder, 'loop'))
  const host = nodeHost()
  t.match(await host.examine(join(folder, 'file')), { target: 'file' })
  t.match(await host.examine(join(folder, 'dir')), { target: 'dir' })
  t.match(await host.examine('/dev/null'), { target: 'char' })
  const reasons = {
    gone: 'No such file or directory',
    'file/x': 'Not a directory',
    loop: 'Too many levels of symbolic links',
  }
  for (const [name, reason] of Object.entries(reasons)) {
    t.strictSame(await host.examine(join(folder, name)), { target: 'missing', reason })
  }
  t.strictSame(await host.examine(''), { target: 'missing', reason: 'No such file or directory' })
  t.strictSame(await host.examine('/a\0b'), { target: 'missing', reason: 'No such file or directory' })
})

t.test('the file behind an empty drive', async t => {
  const folder = t.testdir({})
  const path = join(folder, 'empty-cdrom.11')
  await nodeHost().createEmptyCdrom(path)
  t.equal(statSync(path).mode & 0o777, 0o400)
  t.equal(statSync(path).size, 0)
  writeFileSync(join(folder, 'other'), 'full')
  await nodeHost().createEmptyCdrom(join(folder, 'other'))
  t.equal(readFileSync(join(folder, 'other'), 'utf8'), '', 'emptied, as creat does')
  const nowhere = join(folder, 'nowhere', 'empty-cdrom.11')
  await t.rejects(nodeHost().createEmptyCdrom(nowhere), {
    name: 'LibxlError',
    rc: -3,
    message: `Failed to create empty cdrom "${nowhere}": No such file or directory`,
  })
})

t.test('disks of this machine', async t => {
  const store = await storeWith(t)
  const image = join(t.testdir({ 'a.qcow2': '' }), 'a.qcow2')
  const add = (spec: string) => addDisk(store, parseDisk(spec), { domid: 11, wait: false })
  t.match(await add(`format=qcow2,vdev=xvda,target=${image}`), { disk: { backend: 'qdisk' } })
  await t.rejects(add(`format=qcow2,vdev=xvdb,target=${image}.bak`), {
    rc: -6,
    message: `Disk vdev=xvdb failed to stat: ${image}.bak: No such file or directory`,
  })
  await t.rejects(add(`backendtype=qdisk,format=qcow2,vdev=xvdb,target=${image}.bak`), {
    rc: -6,
    message: `Disk vdev=xvdb: QEMU cannot open the image ${image}.bak: No such file or directory`,
  })
  await t.rejects(add(`format=qcow2,vdev=xvdb,target=${t.testdirName}`), {
    rc: -6,
    message: `Disk vdev=xvdb: QEMU cannot open the image ${t.testdirName}: Is a directory`,
  })
  await t.rejects(add('vdev=xvdb,target=nbd+unix:///x?socket=/s'), {
    rc: -6,
    message:
      /^Disk vdev=xvdb is served over NBD(?:: QEMU opens files only for a guest of type pv|, which QEMU opens only for a disk that it emulates)/,
  })
  t.match(await add('backendtype=qdisk,vdev=xvdc,target=nbd:localhost:10809'), { disk: { backend: 'qdisk' } })
})

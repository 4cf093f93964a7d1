import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { StorageDaemon } from '#xenlight/replication/node/storage-daemon.js'
import { MissingRealPart, realPart } from '../../support/real-part.js'

const mebibyte = 1024 * 1024

function folderOf(t: Test): string {
  if (!existsSync('/usr/bin/qemu-storage-daemon')) throw new MissingRealPart('qemu-storage-daemon', 'qemu-system-x86')
  const folder = mkdtempSync(join(tmpdir(), 'storage-daemon-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function image(folder: string, name = 'disk, with=odd "name".qcow2'): string {
  const path = join(folder, name)
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '8M'])
  return path
}

t.test('an image is read and written, and a daemon that an agent left is used again', t =>
  realPart(t, async () => {
    const folder = folderOf(t)
    const options = { image: image(folder), format: 'qcow2', sockets: join(folder, 's') } as const
    const first = await StorageDaemon.open(options)
    t.equal(first.backend.size, 8 * mebibyte)
    await first.backend.write(4096, Buffer.from('written'))
    await first.leave()
    const second = await StorageDaemon.open(options)
    t.equal(second.instance, first.instance, 'it is the same daemon')
    t.equal(Buffer.from(await second.backend.read(4096, 7)).toString(), 'written')
    await second.backend.writeZeroes(4096, 4)
    await second.close()
    await using third = await StorageDaemon.open(options)
    t.not(third.instance, first.instance, 'another one')
    t.equal(Buffer.from(await third.backend.read(4096, 7)).toString(), '\0\0\0\0ten')
  }),
)

t.test('a daemon that is just ending is waited for, and another one started', t =>
  realPart(t, async () => {
    const folder = folderOf(t)
    const sockets = join(folder, 's')
    let left = 3
    const ending = createServer(socket => {
      socket.destroy()
      if (--left === 0) ending.close()
    }).listen(`${sockets}.qmp`)
    await once(ending, 'listening')
    await using daemon = await StorageDaemon.open({ image: image(folder), format: 'qcow2', sockets })
    t.equal(left, 0)
    t.equal(daemon.backend.size, 8 * mebibyte)
  }),
)

t.test('what cannot be opened is refused with what the daemon says', t =>
  realPart(t, async () => {
    const folder = folderOf(t)
    const sockets = join(folder, 's')
    const raw = join(folder, 'raw')
    writeFileSync(raw, Buffer.alloc(mebibyte))
    for (const [path, message] of [
      [join(folder, 'none'), /No such file/],
      [raw, /not in qcow2 format/],
    ] as const)
      await t.rejects(StorageDaemon.open({ image: path, format: 'qcow2', sockets }), { code: 'file-failed', message })
    const [one, other] = [image(folder, 'one'), image(folder, 'other')]
    const daemon = await StorageDaemon.open({ image: one, format: 'qcow2', sockets })
    await t.rejects(StorageDaemon.open({ image: other, format: 'qcow2', sockets, timeout: 1000 }), {
      code: 'file-failed',
      message: /another agent/,
    })
    await daemon.leave()
    await t.rejects(StorageDaemon.open({ image: other, format: 'qcow2', sockets }), { message: /has another image/ })
    await using again = await StorageDaemon.open({ image: one, format: 'qcow2', sockets })
    t.equal(again.instance, daemon.instance)
    const elsewhere = StorageDaemon.open({ image: one, format: 'qcow2', sockets: join(folder, 't') })
    await t.rejects(elsewhere, { message: /lock/ }, 'an image that is in use')
  }),
)

t.test('the end of a daemon is reported', t =>
  realPart(t, async () => {
    const folder = folderOf(t)
    const daemon = await StorageDaemon.open({ image: image(folder), format: 'qcow2', sockets: join(folder, 's') })
    execFileSync('pkill', ['-KILL', '-f', join(folder, 's')])
    t.ok(await daemon.closed, 'with its reason')
    await t.rejects(Promise.resolve(daemon.backend.read(0, 1)))
    await daemon.leave()
  }),
)

import { randomBytes } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type BlockBackend, formatNbdUrl, listenNbd, MemoryBackend, openFileBackend } from 'xenlight/nbd'
import { realPart } from '../support/real-part.js'
import { needs, output, succeeds } from './programs.js'
import { socketFolder } from './socket-folder.js'

const size = 40 * 1024 * 1024

const backends: Record<string, (folder: string) => BlockBackend | Promise<BlockBackend>> = {
  memory: () => new MemoryBackend(size),
  file: folder => openFileBackend(join(folder, 'disk'), { create: size }),
}

/** Serves a disk of each kind by a unix socket and by TCP. */
async function eachServer(t: Test, use: (t: Test, url: string, folder: string) => Promise<void>): Promise<void> {
  for (const [kind, open] of Object.entries(backends)) {
    for (const where of ['unix', 'TCP']) {
      await t.test(`${kind}, ${where}`, async t => {
        const folder = socketFolder(t)
        const backend = await open(folder)
        const exports = [
          { name: 'disk', backend, description: 'a disk' },
          { name: 'frozen', backend, readOnly: true, rotational: true },
        ]
        await using server = await listenNbd(where === 'unix' ? { path: join(folder, 's') } : { port: 0 }, exports)
        const { address } = server
        const at = 'path' in address ? address : { host: '127.0.0.1', port: address.port }
        await use(t, formatNbdUrl({ tls: false, address: at, exportName: 'disk' }), folder)
      })
    }
  }
}

t.test('nbdinfo', async t => {
  if ((await realPart(t, () => needs('nbdinfo') ?? true)) === undefined) return
  await eachServer(t, async (t, url) => {
    const { exports } = JSON.parse(await output('nbdinfo', '--json', url))
    t.match(exports, [
      {
        'export-name': 'disk',
        description: 'a disk',
        'export-size': size,
        is_read_only: false,
        is_rotational: false,
        can_multi_conn: true,
        can_flush: true,
        can_fua: true,
        can_trim: true,
        can_zero: true,
        contexts: ['base:allocation'],
        block_size_minimum: 1,
        block_size_preferred: 4096,
        block_size_maximum: 33_554_432,
      },
    ])
    const list = JSON.parse(await output('nbdinfo', '--json', '--list', url))
    t.strictSame(
      list.exports.map((one: { 'export-name': string; is_read_only: boolean; is_rotational: boolean }) => [
        one['export-name'],
        one.is_read_only,
        one.is_rotational,
      ]),
      [
        ['disk', false, false],
        ['frozen', true, true],
      ],
    )
    const map = JSON.parse(await output('nbdinfo', '--json', '--map', url))
    t.equal(
      map.reduce((sum: number, { length }: { length: number }) => sum + length, 0),
      size,
    )
  })
})

t.test('nbdcopy and qemu-img: what went in comes out', async t => {
  if ((await realPart(t, () => needs('nbdcopy', 'qemu-img') ?? true)) === undefined) return
  await eachServer(t, async (t, url, folder) => {
    const [from, back] = [join(folder, 'from'), join(folder, 'back')]
    const data = Buffer.concat([randomBytes(size / 4), Buffer.alloc(size / 2), randomBytes(size / 4)])
    await writeFile(from, data)
    await output('nbdcopy', from, url)
    await output('nbdcopy', url, back)
    t.ok((await readFile(back)).equals(data), 'nbdcopy both ways')
    t.ok(await succeeds('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', from, url), 'qemu-img compare')
    await output('qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', from, url)
    await output('qemu-img', 'convert', '-f', 'raw', '-O', 'raw', url, back)
    t.ok((await readFile(back)).equals(data), 'qemu-img convert both ways')
    t.equal(JSON.parse(await output('qemu-img', 'info', '--output=json', '-f', 'raw', url))['virtual-size'], size)
    const map = JSON.parse(await output('qemu-img', 'map', '--output=json', '-f', 'raw', url))
    for (const { start, length, zero } of map)
      if (zero)
        t.ok(
          data.subarray(start, start + length).every(byte => byte === 0),
          'what is said to be zero is',
        )
  })
})

t.test('a file that was written with zeroes only has no blocks', async t => {
  if ((await realPart(t, () => needs('qemu-io') ?? true)) === undefined) return
  const folder = socketFolder(t)
  const path = join(folder, 'disk')
  const backend = await openFileBackend(path, { create: size })
  await using _ = await listenNbd({ path: join(folder, 's') }, [{ name: '', backend }])
  const url = formatNbdUrl({ tls: false, address: { path: join(folder, 's') }, exportName: '' })
  await output('qemu-io', '-f', 'raw', '-c', 'write -z -u 0 16M', url)
  t.equal((await stat(path)).blocks, 0)
  await output('qemu-io', '-f', 'raw', '-c', 'write -z 0 1M', url)
  t.ok((await stat(path)).blocks >= 2048, 'without leave to trim it has its blocks')
})

t.test('qemu-io: every command', async t => {
  if ((await realPart(t, () => needs('qemu-io') ?? true)) === undefined) return
  const script = [
    'write -P 5 0 3M',
    'read -P 5 0 3M',
    'write -P 6 511 77',
    'read -P 6 511 77',
    'read -P 5 588 1000',
    'write -z 4k 2M',
    'read -P 0 4k 2M',
    'write -z -u 2M 64k',
    'read -P 0 2M 64k',
    'write -f -P 7 9M 70k',
    'read -P 7 9M 70k',
    'aio_write -P 8 10M 1M',
    'aio_write -P 9 11M 1M',
    'aio_flush',
    'read -P 8 10M 1M',
    'read -P 9 11M 1M',
    'discard 12M 1M',
    'flush',
  ]
  await eachServer(t, async (t, url) => {
    const args = script.flatMap(command => ['-c', command])
    const text = await output('qemu-io', '-f', 'raw', ...args, url)
    t.notMatch(text, /fail|error|differ|verification/i)
  })
})

t.test('fio writes at random, reads all back and finds what it wrote', async t => {
  if ((await realPart(t, () => needs('fio') ?? true)) === undefined) return
  await eachServer(t, async (t, url) => {
    const job = ['--name=verify', '--ioengine=nbd', `--uri=${url}`, '--rw=randwrite', '--bsrange=4k-256k']
    const how = [
      '--size=16m',
      '--iodepth=32',
      '--verify=crc32c',
      '--verify_state_save=0',
      '--do_verify=1',
      '--fsync=16',
      '--randrepeat=0',
    ]
    t.match(await output('fio', ...job, ...how), /err= 0/)
  })
})

t.test('QEMU cuts what is larger than the maximum', async t => {
  if ((await realPart(t, () => needs('qemu-io') ?? true)) === undefined) return
  await eachServer(t, async (t, url) => {
    const args = ['-c', 'write -P 2 0 33M', '-c', 'read -P 2 0 33M']
    t.ok(await succeeds('qemu-io', '-f', 'raw', ...args, url))
  })
})

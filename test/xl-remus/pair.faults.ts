import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { connectNbd, type NbdClient } from 'xenlight/nbd'
import { run } from '#xenlight/xl-remus/run.js'
import { smallFileSystem } from '../colo/colo-pair.js'
import { output } from '../nbd/programs.js'
import { eventually } from '../protocol-d/eventually.js'
import { realPart } from '../support/real-part.js'
import { FakeIo } from '../xl-colo/fake-io.js'
import { type Machine, machine, type Node, pairOf } from './real-nodes.js'

const kib = 1024
const filled = (value: number, length = 64 * kib) => Buffer.alloc(length, value)

/** What a QEMU would be for the node. */
const guestOf = (node: Node): Promise<NbdClient> => connectNbd({ path: node.nbd }, { export: 'disk' })

async function write(node: Node, value: number, offset = 0): Promise<void> {
  await using guest = await guestOf(node)
  await guest.write(offset, filled(value))
  await guest.flush()
}

const holdsAt = (node: Node, value: number, offset = 0) =>
  readFileSync(node.image)
    .subarray(offset, offset + 64 * kib)
    .equals(filled(value))

const equal = (node: Node) => node.until('both hold the same', ({ connection }) => connection === 'equal')
const alone = (node: Node) => node.until('the peer is gone', ({ connection }) => connection === 'none')

t.test('made, served, promoted, checkpoints, switched off, demoted, taken over', async t => {
  const here = await machine(t)
  const { anna, berta } = await pairOf(here)
  t.match(await anna.ask('status'), {
    status: 0,
    stdout: 'primary, consistent; peer: connected, secondary; no checkpoints (last: 0)\n',
    stderr: '',
  })
  t.match(await anna.ask('checkpoint'), { status: 6, stdout: '', stderr: /checkpointing is off|no checkpoints/ })
  t.match(await berta.ask('checkpoint', 'on'), { status: 6, stderr: /Secondary|not Primary/ })
  t.match(await anna.ask('checkpoint', 'on'), { status: 0, stdout: '', stderr: '' })
  await write(anna, 1)
  t.match(await anna.ask('checkpoint', '--json'), { status: 0, stdout: /^\{"checkpoint":\d+,"written":true\}\n$/ })
  t.match(await anna.ask('checkpoint'), { status: 0, stdout: /^nothing was written since checkpoint \d+\n$/ })
  await write(anna, 2, 64 * kib)
  t.match(await berta.until('it comes', ({ openEpoch }) => openEpoch > 0), { role: 'secondary', disk: 'consistent' })
  t.match(await berta.ask('status'), { status: 0, stdout: /open epoch: 64\.0 KiB/ })
  t.notOk(holdsAt(berta, 2, 64 * kib), 'held back')
  t.match(await anna.ask('checkpoint'), { status: 0, stdout: /^checkpoint \d+\n$/ })
  await eventually('it is written', () => holdsAt(berta, 2, 64 * kib))
  t.match(await anna.ask('checkpoint', 'off'), { status: 0 })
  await write(anna, 3)
  await eventually('it is written without a checkpoint', () => holdsAt(berta, 3))
  t.match(await berta.ask('promote'), { status: 6, stderr: /the peer refuses: it is Primary itself/ })

  const guest = await guestOf(anna)
  t.match(await anna.ask('demote'), { status: 6, stderr: /the disk has NBD clients \(1\): end them, or use force/ })
  t.match(await anna.status(), { role: 'primary', clients: 1 })
  t.match(await anna.ask('demote', '--force'), { status: 0, stderr: '' })
  await t.rejects(guest.read(0, 512), 'its client is cut off')
  t.match(await anna.ask('demote'), { status: 0 }, 'again')
  await t.rejects(guestOf(anna), { name: 'NbdError' }, 'a Secondary serves nobody')
  t.match(await berta.ask('promote'), { status: 0 })
  t.ok(readFileSync(anna.image).equals(readFileSync(berta.image)))
})

t.test('what status says, and its exit status', async t => {
  const here = await machine(t)
  const anna = here.node('anna', 'listen')
  const berta = here.node('berta', 'connect')
  await anna.create()
  await berta.create()
  await anna.serve()
  t.match(await anna.ask('status'), { status: 14, stdout: /^secondary, inconsistent; peer: not connected/ })
  t.match(await anna.ask('promote'), { status: 6, stderr: /the disk is new: promote with force/ })
  const serving = await berta.serve()
  await anna.until('they have met', ({ connection }) => connection === 'undecided')
  t.match(await anna.ask('status'), { status: 12, stdout: /undecided \(both are new: promote the one whose/ })
  await anna.ask('promote', '--force')
  await equal(anna)
  t.match(await anna.ask('status', '--json'), { status: 0, stdout: /^\{.*"size":4194304.*\}\n$/ })
  t.match(await anna.status(), { url: anna.url, listens: `127.0.0.1:${here.port}`, clients: 0, whyLost: '' })
  serving.child.kill('SIGKILL')
  await alone(anna)
  t.match(await anna.ask('status'), { status: 10, stdout: /peer: not connected \(.+\)/ })
  await write(anna, 1)
  t.match(await anna.ask('status'), { status: 10, stdout: /64\.0 KiB may differ/ })

  await anna.ask('demote')
  const larger = here.node('carla', 'connect')
  await larger.create('--size', '8M')
  await larger.serve()
  await anna.until('they do not fit', ({ why }) => why.includes('not of one size'))
  t.match(await larger.ask('status'), { status: 13, stdout: /refused \(the disks are not of one size\)/ })
})

t.test('split brain: both went on alone, until an administrator decides', async t => {
  const here = await machine(t)
  const { anna, berta, serving } = await pairOf(here)
  serving.berta.child.kill('SIGKILL')
  await alone(anna)
  await write(anna, 1)
  serving.anna.child.kill('SIGKILL')
  await serving.anna.ended
  await berta.serve()
  t.match(await berta.ask('promote'), { status: 0 })
  await write(berta, 2)
  await anna.serve()
  const { why } = await anna.until('they have met', ({ isRefused }) => isRefused)
  t.match(why, 'split brain, both went on alone')
  t.match(await anna.ask('status'), { status: 13 })
  t.match(await berta.ask('resync', '--json'), { status: 13, stdout: /split brain/ })
  t.match(await anna.ask('resync', '--discard'), { status: 0, stdout: /peer: connected, primary; .*\n$/ })
  t.ok(holdsAt(anna, 2))
})

t.test('resync shows on a terminal how far it is', async t => {
  const here = await machine(t)
  const { anna, berta, serving } = await pairOf(here)
  serving.berta.child.kill('SIGKILL')
  await alone(anna)
  for (let at = 0; at < 4096 * kib; at += 512 * kib) await write(anna, 9, at)
  const io = new FakeIo(['resync', '--control', anna.control], { terminal: true, columns: 200 })
  const status = run(io)
  await eventually('it shows something', () => io.written[1] !== '')
  await berta.serve()
  t.equal(await status, 0)
  const drawn = io.written[1].split('\x1b[1A')
  t.equal(drawn[0]?.startsWith('\r\x1b[2Kprimary, consistent; peer: not connected'), true)
  const last = drawn.at(-1) ?? ''
  t.ok(last.startsWith('\r\x1b[2Kprimary, consistent; peer: connected, secondary; '), last)
  t.ok(last.endsWith('\n\x1b[J'))
  t.ok(readFileSync(anna.image).equals(readFileSync(berta.image)))
  t.match(await anna.ask('resync'), { status: 0, stdout: /^primary.*\n$/ }, 'nothing is left')
})

t.test('--watch waits for a node, and shows it until it is interrupted', async t => {
  const here = await machine(t)
  const { anna, berta } = await pairOf(here)
  const carla = here.node('carla', 'connect')
  const none = here.stay('status', '--watch', '--control', carla.control)
  await none.until(/no such socket: is the node served\?\n/)
  none.child.kill('SIGINT')
  t.match(await none.ended, { status: 5, stderr: '' })
  const watch = here.stay('status', '--watch', '--json', '--control', berta.control)
  await watch.until(/\n.*\n/)
  watch.child.kill('SIGTERM')
  const { status, stdout } = await watch.ended
  t.equal(status, 0)
  for (const line of stdout.trim().split('\n')) t.match(JSON.parse(line), { role: 'secondary', connection: 'equal' })
  t.match(await anna.ask('status'), { status: 0 })
})

t.test('--two: both are Primary for a migration, and one of them writes', async t => {
  const { anna, berta } = await pairOf(await machine(t))
  await write(anna, 1)
  t.match(await berta.ask('promote', '--two'), { status: 0, stderr: '' })
  t.match(await berta.ask('status'), {
    stdout: /^primary \(the other one writes\), consistent; peer: connected, primary/,
  })
  await write(berta, 2, 64 * kib)
  t.match(await anna.status(), { role: 'primary', isWriter: false })
  t.match(await anna.ask('demote'), { status: 0 })
  t.match(await berta.status(), { role: 'primary', isWriter: true, peerRole: 'secondary' })
  await eventually('both have both', () => holdsAt(anna, 1) && holdsAt(anna, 2, 64 * kib))
})

/** An authority, and a folder with a certificate of it for each name. */
async function certificates({ folder }: Machine, authority: string, names: readonly string[]): Promise<string[]> {
  const at = (...words: string[]) => join(folder, ...words)
  const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2']
  mkdirSync(at(authority))
  const [ca, caKey] = [at(authority, 'ca.pem'), at(authority, 'ca-key.pem')]
  await output('openssl', ...make, '-subj', `/CN=${authority}`, '-keyout', caKey, '-out', ca)
  for (const name of names) {
    mkdirSync(at(name))
    const by = ['-CA', ca, '-CAkey', caKey, '-addext', 'basicConstraints=critical,CA:FALSE', '-subj', `/CN=${name}`]
    await output('openssl', ...make, ...by, '-keyout', at(name, 'key.pem'), '-out', at(name, 'cert.pem'))
    writeFileSync(at(name, 'ca.pem'), readFileSync(ca))
  }
  return names.map(name => at(name))
}

t.test('--tls: both show a certificate of one authority', async t => {
  const here = await machine(t)
  const made = await realPart(t, async () => ({
    ours: await certificates(here, 'authority', ['one', 'other']),
    theirs: await certificates(here, 'elsewhere', ['stranger']),
  }))
  if (made === undefined) return
  const [one = '', other = ''] = made.ours
  const anna = here.node('anna', 'listen', '--tls', one)
  const berta = here.node('berta', 'connect')
  await anna.create()
  await berta.create()
  await anna.serve()
  await anna.ask('promote', '--force')
  for (const [options, why] of [
    [['--tls', made.theirs[0]!], /certificate|TLS|alert/i],
    [[], /at once: have both nodes one pair's name, and both TLS or neither\?/],
  ] as const) {
    const serving = await berta.serve(...options)
    const { whyLost } = await berta.until('it says why', ({ whyLost }) => why.test(whyLost))
    t.comment(whyLost)
    t.match(await anna.until('it says why', ({ whyLost }) => whyLost.includes('refused')), {
      connection: 'none',
      whyLost: /^a connection was refused: TLS: /,
    })
    serving.child.kill('SIGKILL')
    await serving.ended
  }
  await berta.serve('--tls', other)
  await equal(anna)
  await write(anna, 5)
  await eventually('it is there', () => holdsAt(berta, 5))
})

t.test("another pair's name", async t => {
  const here = await machine(t)
  const { anna, serving } = await pairOf(here)
  serving.berta.child.kill('SIGKILL')
  await alone(anna)
  const other = join(here.folder, 'other')
  writeFileSync(other, 'another name\n')
  const carla = here.node('carla', 'connect', '--pair-file', other)
  await here.remus('create', carla.image, '--pair-file', other, '--size', '4M', '--log-size', '64M')
  await carla.serve()
  await carla.until('it says why', ({ whyLost }) => whyLost.includes("have both nodes one pair's name"))
  await anna.until('it says why', ({ whyLost }) => whyLost === "a connection was refused: it has another pair's name")
  t.match(await carla.ask('status'), { status: 14 })
})

t.test("strangers at the peer's port: the pair goes on", async t => {
  const here = await machine(t)
  const { anna, berta } = await pairOf(here)
  const strangers = await Promise.all(
    [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(0), Buffer.from([0, 0, 0]), Buffer.alloc(300_000, 0xff)].map(
      bytes =>
        new Promise<ReturnType<typeof connect>>(resolve => {
          const socket = connect(here.port, '127.0.0.1', () => {
            if (bytes.length > 0) socket.write(bytes)
            resolve(socket)
          })
          socket.on('error', () => {})
        }),
    ),
  )
  t.teardown(() => {
    for (const socket of strangers) socket.destroy()
  })
  await write(anna, 4)
  await eventually('it is there', () => holdsAt(berta, 4))
  t.match(await anna.ask('status'), { status: 0 })
  t.match(await berta.ask('status'), { status: 0 })
  const controller = connect(anna.control)
  controller.on('error', () => {})
  controller.write('what is this?\n')
  await new Promise(resolve => controller.once('close', resolve))
  t.match(await anna.ask('status'), { status: 0 }, 'nor is it hurt over its control socket')
})

t.test('SIGTERM demotes, and takes the sockets away', async t => {
  const here = await machine(t)
  const { anna, berta, serving } = await pairOf(here)
  for (const socket of [anna.nbd, anna.control]) t.equal(statSync(socket).mode & 0o777, 0o600, 'for this user alone')
  await anna.ask('checkpoint', 'on')
  await write(anna, 6)
  serving.anna.child.kill('SIGTERM')
  t.match(await serving.anna.ended, { status: 143, signal: null, stderr: '' })
  t.notOk(existsSync(anna.nbd) || existsSync(anna.control))
  await alone(berta)
  t.match(await berta.status(), { differing: 0, disk: 'consistent' })
  t.ok(holdsAt(berta, 6), 'a last checkpoint was taken')
  t.match(await berta.ask('promote'), { status: 0 })
  await anna.serve()
  await equal(berta)
  t.match(await anna.status(), { role: 'secondary', peerRole: 'primary' })
})

t.test('SIGKILL: its sockets are replaced, and what the other one wrote comes back', async t => {
  const here = await machine(t)
  const { anna, berta, serving } = await pairOf(here)
  await anna.ask('checkpoint', 'on')
  await write(anna, 7)
  t.match(await anna.ask('checkpoint'), { status: 0 })
  await write(anna, 8)
  serving.anna.child.kill('SIGKILL')
  await serving.anna.ended
  t.ok(existsSync(anna.nbd) && existsSync(anna.control), 'stale')
  await alone(berta)
  t.match(await berta.ask('promote'), { status: 0 })
  t.ok(holdsAt(berta, 7), 'as of the checkpoint')
  await anna.serve()
  t.match(await anna.ask('resync'), { status: 0 })
  t.ok(holdsAt(anna, 7), 'what no checkpoint had is gone')
})

t.test('a second process with the same disk, or the same sockets', async t => {
  const here = await machine(t)
  const { anna } = await pairOf(here)
  const { port } = here
  const own = ['--nbd', join(here.folder, 'n'), '--control', join(here.folder, 'c'), '--listen', `127.0.0.1:${port}`]
  t.match(await anna.begin(...own).ended, { status: 6, stdout: '', stderr: /anna\.img: end that one first/ })
  const carla = here.node('carla', 'listen')
  await carla.create()
  t.match(await carla.begin().ended, { status: 5, stderr: new RegExp(`for the peer at 127.0.0.1:${port}: another`) })
  const apart = ['--listen', join(here.folder, 'peer')]
  const sockets = ['--listen', apart[1]!, '--control', anna.control]
  const serve = ['serve', carla.image, '--pair-file', here.pairFile, '--nbd', carla.nbd]
  t.match(await here.remus(...serve, ...sockets), { status: 5, stderr: /for who controls it at .*: another process/ })
  t.match(await anna.ask('status'), { status: 0 }, 'nobody took its sockets')
})

t.test('the log is on a disk that is full', async t => {
  const folder = await realPart(t, () => smallFileSystem(t, 1024 * kib))
  if (folder === undefined) return
  const here = await machine(t)
  const log = ['--log', join(folder, 'log')]
  const anna = here.node('anna', 'listen')
  const berta = here.node('berta', 'connect', ...log)
  await anna.create()
  await berta.create(...log)
  await anna.serve()
  await berta.serve()
  await anna.ask('promote', '--force')
  await equal(anna)
  await anna.ask('checkpoint', 'on')
  for (let at = 0; at < 2048 * kib; at += 64 * kib) await write(anna, 3, at)
  t.match(await berta.until('it has failed', ({ failure }) => failure !== undefined), { failure: /ENOSPC/ })
  t.match(await berta.ask('status'), { status: 15, stdout: /FAILED: a file of the node failed: .*ENOSPC/ })
  t.match(await berta.ask('promote'), { status: 5, stderr: /ENOSPC/ })
  await alone(anna)
  t.match(await anna.ask('status'), { status: 10 }, 'the Primary goes on alone')
  await write(anna, 4)
})

t.test('one copy of the metadata is damaged', async t => {
  const here = await machine(t)
  const { anna, berta, serving } = await pairOf(here)
  for (const slot of [0, 1]) {
    await write(anna, slot + 1)
    serving.berta.child.kill('SIGTERM')
    await serving.berta.ended
    const metadata = readFileSync(`${berta.image}.meta`)
    metadata.fill(0xa5, slot * 16 * kib, (slot + 1) * 16 * kib)
    writeFileSync(`${berta.image}.meta`, metadata)
    serving.berta = await berta.serve()
    t.match(await anna.ask('resync'), { status: 0 })
    await eventually('it is there', () => holdsAt(berta, slot + 1))
    t.ok(readFileSync(anna.image).equals(readFileSync(berta.image)))
  }
})

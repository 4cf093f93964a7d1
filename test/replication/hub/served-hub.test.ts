import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AgentLink } from '#xenlight/replication/node/agent-link.js'
import { ServedHub, type ServeHubOptions } from '#xenlight/replication/node/serve-hub.js'
import type { Attached } from '#xenlight/replication/wire/message.js'
import type { Session, SessionMessage } from '#xenlight/replication/wire/session.js'
import { needs, output } from '../../nbd/programs.js'
import { eventually } from '../../protocol-d/eventually.js'
import { realPart } from '../../support/real-part.js'

const MiB = 1024 * 1024
const size = 8 * MiB
const volumes = [{ number: 0, name: 'root', size }]

function place(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'hub-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const options: ServeHubOptions = {
    data: join(folder, 'data'),
    name: 'hub-a',
    listen: { path: join(folder, 'agents') },
    nbd: { path: join(folder, 'nbd') },
  }
  return { folder, options }
}

/** An agent of one group over a real connection. */
class Sender implements AsyncDisposable {
  readonly got: SessionMessage[] = []
  readonly #link: AgentLink
  #session!: Session
  #sequence = 0
  #time = 1_700_000_000_000_000

  private constructor(path: string) {
    this.#link = new AgentLink(
      { name: 'host-1', hub: { path } },
      {
        connected: session => {
          this.#session = session
          return { message: message => this.got.push(message), request: async () => ({}), ended: () => {} }
        },
        lost: () => {},
      },
    )
  }

  static async attach(path: string, epoch = 0): Promise<Sender> {
    const sender = new Sender(path)
    await eventually('there is a session', () => sender.#session !== undefined)
    const stream = '11111111-2222-4333-8444-555555555555'
    sender.#session.send({ kind: 'attach', channel: 1, group: 'web', epoch, stream, oldest: 1, volumes })
    await eventually('it is attached', () => sender.got.some(({ kind }) => kind === 'attached' || kind === 'refused'))
    try {
      sender.#sequence = sender.attached.received ?? 0
      return sender
    } catch (error) {
      await sender.#link.close()
      throw error
    }
  }

  get attached(): Attached {
    const attached = this.got.find(one => one.kind === 'attached')
    if (attached === undefined) throw new Error(JSON.stringify(this.got))
    return attached
  }

  async write(kind: 'write' | 'fill', offset: number, data: Uint8Array): Promise<void> {
    await eventually('the window is open', () => this.#session.maySend(1))
    this.#session.send({ kind, volume: 0, offset, data, ...this.#place })
  }

  unsettled(): void {
    this.#session.send({ kind: 'unsettled', reason: 'new replica', ...this.#place })
  }

  async settled(): Promise<void> {
    this.#session.send({ kind: 'settled', ...this.#place })
    await this.durable()
  }

  durable(): Promise<void> {
    return eventually('all is durable', () =>
      this.got.some(one => one.kind === 'durable' && one.sequence === this.#sequence),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#link.close()
  }

  get #place() {
    this.#time += 1000
    this.#sequence++
    return { channel: 1, sequence: this.#sequence, time: this.#time }
  }
}

/** A group whose one disk has numbered blocks of 64 KiB. */
async function filled(sender: Sender): Promise<Buffer> {
  const image = Buffer.alloc(size)
  sender.unsettled()
  for (let at = 0; at < size / 2; at += 65_536) {
    image.fill(1 + at / 65_536, at, at + 65_536)
    await sender.write('fill', at, image.subarray(at, at + 65_536))
  }
  await sender.settled()
  return image
}

t.test('a hub on real files: killed in between, failed over, read and written by QEMU', async t => {
  if ((await realPart(t, () => needs('qemu-img', 'qemu-io') ?? true)) === undefined) return
  const { folder, options } = place(t)
  const agents = join(folder, 'agents')
  const first = await ServedHub.serve(options)
  await t.rejects(ServedHub.serve({ ...options, listen: undefined, nbd: undefined }), { code: 'owned' })
  const sender = await Sender.attach(agents)
  const image = await filled(sender)
  for (let count = 0; count < 200; count++) {
    const offset = ((count * 37) % 1000) * 4096
    image.fill(count, offset, offset + 4096)
    await sender.write('write', offset, image.subarray(offset, offset + 4096))
  }
  await sender.durable()
  await sender[Symbol.asyncDispose]()
  await first.close()

  await using second = await ServedHub.serve(options)
  const control = second.hub.control('owner')
  t.match(control.status('web'), [{ state: 'disconnected', epoch: 1 }])
  await control.test('web', { branch: 'try' })
  await control.failOver('web', { branch: 'fo' })
  const wanted = join(folder, 'wanted.img')
  writeFileSync(wanted, image)
  for (const branch of ['try', 'fo']) {
    const [start] = control.start('web', branch).volumes
    await output('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', wanted, start!.url)
  }
  const { url, blockdev } = control.start('web', 'fo').volumes[0]!
  const io = (...commands: string[]) => output('qemu-io', ...commands.flatMap(one => ['-c', one]), `json:${blockdev}`)
  await io('write -P 7 1000 3000', 'write -z 2M 1M', 'write -P 9 8380416 8192', 'flush')
  image.fill(7, 1000, 4000)
  image.fill(0, 2 * MiB, 3 * MiB)
  image.fill(9, 8_380_416)
  writeFileSync(wanted, image)
  await output('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', wanted, url)
  const copied = join(folder, 'copied.img')
  await output('qemu-img', 'convert', '-f', 'raw', '-O', 'raw', url, copied)
  t.ok(readFileSync(copied).equals(image))
  t.match(await io('read -P 7 1000 3000', 'read -P 0 2M 1M'), /read 3000/)
  t.match(JSON.parse(await output('qemu-img', 'map', '--output=json', '-f', 'raw', url)), [{ start: 0 }])
  t.match(await io('read -P 8 1000 1').catch(error => error.stdout), /verification failed/, 'and this can fail')

  await second.close()
  await using third = await ServedHub.serve(options)
  await output('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', wanted, url)
  const stale = await Sender.attach(agents, 1).catch(error => error)
  t.match(stale.message, /fenced.*failed over/)
  await third.hub.control('owner').discard('web', 'fo')
  t.match(await output('qemu-img', 'info', url).catch(error => error.stderr), /export/, 'it is not served any more')
  await using back = await Sender.attach(agents, 1)
  t.match(back.attached, { epoch: 3, received: Number })
})

t.test('a hub that takes over has all that was acknowledged', async t => {
  const { folder, options } = place(t)
  const agents = join(folder, 'agents')
  await using hub = await ServedHub.serve(options)
  await using sender = await Sender.attach(agents)
  const image = await filled(sender)
  // it ends by itself when it looks
  const [first] = hub.hub.groups
  await using again = await ServedHub.serve({ ...options, listen: undefined, nbd: undefined, takeOver: true })
  t.same(again.hub.closedGroups, [])
  const [group] = again.hub.groups
  t.match(group!.status(), { term: 2, newest: { position: Number } })
  t.match(first!.record, { term: 1 }, 'the first one has files of its own')
  const view = await group!.journal.view(group!.journal.last.settled!.position)
  t.ok(Buffer.from(await view.read(0, 0, size)).equals(image))
  view.close()
})

t.test('groups of a hub that is gone, where the take-over of them was cut off', async t => {
  const { folder, options } = place(t)
  const first = await ServedHub.serve(options)
  const sender = await Sender.attach(join(folder, 'agents'))
  const image = await filled(sender)
  await sender[Symbol.asyncDispose]()
  await first.close()
  // another one took over, and was killed before it had any of them
  writeFileSync(join(options.data, 'owner'), 'hub-b.2\n')
  const second = await ServedHub.serve(options)
  t.match(second.hub.closedGroups, [{ name: 'web', problem: { code: 'owned' } }])
  await second.close()
  await using third = await ServedHub.serve({ ...options, takeOver: true })
  const [group] = third.hub.groups
  t.ok(group, 'who asks for them gets them')
  const view = await group!.journal.view(group!.journal.last.settled!.position)
  t.ok(Buffer.from(await view.read(0, 0, size)).equals(image))
  view.close()
})

t.test('what is wrong when it is started', async t => {
  const { folder, options } = place(t)
  await t.rejects(ServedHub.serve({ ...options, name: '../x' }), { code: 'bad-name' })
  await t.rejects(ServedHub.serve({ ...options, nbd: { path: join(folder, 'no/such') } }))
  await t.rejects(ServedHub.serve({ ...options, limits: { branches: -1 } }), { code: 'wrong-state' })
  // all that was begun has ended: the data are free
  await using hub = await ServedHub.serve(options)
  t.same(hub.hub.groups, [])
  t.same(hub.address, options.listen)
  t.same(hub.nbd, options.nbd)
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { type CheckpointKind, setUpCheckpoints } from 'xenlight/checkpoint'
import { connectDiskControl, createReplicatedDisk, type DiskControl, ServedDisk } from 'xenlight/protocol-d'
import { type CheckpointControl, protocolDKind, RemusSession } from 'xenlight/remus'
import { eventually } from '../protocol-d/eventually.js'

const megabyte = 1024 * 1024
const environment = { domid: 5, domainType: 'hvm', target: 'missing', domidOf: () => undefined } as const
const nameOf = ({ vdev }: ResolvedDisk) => vdev ?? ''
const diskAt = (socket: string) =>
  resolveDisk(parseDisk(`format=raw,vdev=xvda,access=rw,target=nbd+unix:///disk?socket=${socket}`), environment)

/** Two served nodes that hold the same; what is given is the Primary. */
async function primary(t: Test) {
  // a socket's path has to be short
  const folder = mkdtempSync(join(tmpdir(), 'kind-'))
  const nodes: ServedDisk[] = []
  t.teardown(async () => {
    for (const node of nodes) await node.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const path = join(folder, 'peer')
  const control = (name: string) => join(folder, `${name}.ctl`)
  const nbd = (name: string) => join(folder, `${name}.nbd`)
  for (const [name, peer] of [
    ['a', { listen: { path } }],
    ['b', { connect: { path } }],
  ] as const) {
    const data = join(folder, `${name}.img`)
    await createReplicatedDisk({ data, size: megabyte, pair: 'pair', logSize: 64 * megabyte })
    const sockets = { name: 'disk', nbd: nbd(name), control: control(name) }
    const node = await ServedDisk.serve({ data, pair: 'pair', peer, ...sockets })
    nodes.push(node)
    if (name === 'a') await node.disk.promote({ force: true })
  }
  const [node] = nodes as [ServedDisk, ServedDisk]
  await eventually('both hold the same', () => node.status().connection === 'equal')
  return { node, disk: diskAt(nbd('a')), connect: () => connectDiskControl(control('a')) }
}

/** Tells when a request is on its way. */
function watched(control: DiskControl, request: 'checkpoint' | 'waitForAck' | 'setCheckpointing', sent: () => void) {
  const call = control[request].bind(control) as (...args: unknown[]) => Promise<unknown>
  control[request] = (...args: unknown[]) => {
    const answer = call(...args)
    sent()
    return answer as never
  }
  return control
}

for (const request of ['checkpoint', 'waitForAck'] as const)
  t.test(`a session that is aborted at ${request} leaves no checkpointing on`, async t => {
    const { node, disk, connect } = await primary(t)
    const over = new AbortController()
    let epochs = 0
    const abort = () => ++epochs === 2 && over.abort()
    const kind = protocolDKind({ connect: async () => watched(await connect(), request, abort) })
    const end = await new RemusSession({
      devices: await setUpCheckpoints([disk], [kind], { nameOf }),
      interval: 0,
      hooks: { suspend: async () => node.disk.write(0, Buffer.from('written')), resume: async () => {} },
      signal: over.signal,
    }).start()
    t.match(end, { guest: 'running', failure: { epoch: 2 }, teardownError: undefined })
    t.equal(node.status().mode, 'direct')
  })

t.test('a set-up that fails while one disk is being switched leaves no checkpointing on', async t => {
  const { node, disk, connect } = await primary(t)
  const over = new AbortController()
  const kind = protocolDKind({ connect: async () => watched(await connect(), 'setCheckpointing', () => over.abort()) })
  await t.rejects(setUpCheckpoints([disk], [kind], { nameOf, signal: over.signal }), {
    code: 'step-failed',
    step: 'setup',
    left: [],
  })
  t.equal(node.status().mode, 'direct')
})

t.test('of two disks of which one has no kind, no connection is left', async t => {
  const { node, disk, connect } = await primary(t)
  let isOpen = false
  const kind: CheckpointKind<ResolvedDisk> = protocolDKind({
    async connect(socket) {
      if (socket === '/none') return undefined
      const control = await connect()
      isOpen = true
      const close = control.close.bind(control)
      control.close = async () => {
        await close()
        isOpen = false
      }
      return control
    },
  })
  await t.rejects(setUpCheckpoints([disk, diskAt('/none')], [kind], { nameOf }), { code: 'no-kind' })
  t.notOk(isOpen)
  t.equal(node.status().mode, 'direct')
})

/** A node that says `busy` so often when it is to be switched off. */
async function switchedOff(busy: number, code: string, teardownTimeout?: number) {
  let asked = 0
  const control: CheckpointControl = {
    status: async () => ({ role: 'primary', connection: 'equal', why: '' }),
    async setCheckpointing(isOn) {
      if (isOn || asked++ >= busy) return
      throw Object.assign(new Error('not now'), { code })
    },
    checkpoint: async () => ({ isAwaited: true, checkpoint: 1 }),
    waitForAck: async () => {},
    close: async () => {},
  }
  const kinds = [protocolDKind({ connect: async () => control })]
  const devices = await setUpCheckpoints([diskAt('/a')], kinds, { nameOf, teardownTimeout })
  const error = await devices.teardown({ goesOn: true }).then(
    () => undefined,
    error => error,
  )
  return { asked, error }
}

t.test('a node that is busy is asked again, until there is no time left', async t => {
  t.strictSame(await switchedOff(3, 'busy'), { asked: 4, error: undefined })
  t.match(await switchedOff(1, 'no-peer'), { asked: 1, error: { code: 'step-failed', left: [{ disk: 'xvda' }] } })
  const { asked, error } = await switchedOff(Number.POSITIVE_INFINITY, 'busy', 200)
  t.match(error, { code: 'step-failed', left: [{ disk: 'xvda' }] })
  t.ok(asked > 1)
})

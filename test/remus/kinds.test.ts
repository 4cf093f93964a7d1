import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parseDisk, resolveDisk } from 'xenlight'
import { setUpCheckpoints } from 'xenlight/checkpoint'
import { type DrbdDevice, drbdKind, openTapFifos, type ProbeResult, tapKind } from 'xenlight/remus'

const disk = (pdevPath: string, script?: string) => ({
  ...resolveDisk(parseDisk('format=raw,vdev=xvda,access=rw,target=/x'), {
    domid: 1,
    domainType: 'pv',
    target: 'file',
    domidOf: () => undefined,
  }),
  pdevPath,
  script,
  backend: 'phy' as const,
})
const nameOf = ({ pdevPath }: { pdevPath?: string | undefined }) => pdevPath ?? ''
const ready: ProbeResult = { outcome: 'ready', device: '/dev/drbd0' }

/** A DRBD device that answers so, and what it was asked. */
function played(answers: Record<number, { result: number } | { error: string }>) {
  const asked: (number | 'close')[] = []
  const device: DrbdDevice = {
    async ioctl(request) {
      asked.push(request)
      return answers[request]!
    },
    async close() {
      asked.push('close')
    },
  }
  return { asked, open: async () => device }
}

async function epoch(answers: Record<number, { result: number } | { error: string }>, libxlExact = false) {
  const { asked, open } = played(answers)
  const kind = drbdKind({ probe: async () => ready, open, libxlExact })
  await using devices = await setUpCheckpoints([disk('/dev/drbd0')], [kind], { nameOf })
  const error = await (async () => {
    await devices.postsuspend()
    await devices.preresume()
    await devices.commit()
  })().then(
    () => undefined,
    (error: Error) => error.message,
  )
  return { asked: [...asked], error }
}

t.test('an error of an ioctl is an error, which libxl reads as an ack', async t => {
  t.same(await epoch({ 20: { result: 0 }, 30: { result: 0 } }), { asked: [20, 30], error: undefined })
  t.same(await epoch({ 20: { result: 1 } }), { asked: [20], error: undefined })
  t.match(await epoch({ 20: { error: 'EINVAL' } }), {
    asked: [20],
    error: /EINVAL: the resource does not use protocol D/,
  })
  t.match(await epoch({ 20: { result: 0 }, 30: { error: 'EPROTO' } }), {
    asked: [20, 30],
    error: /EPROTO: the peer is gone/,
  })
  t.same(await epoch({ 20: { error: 'EPROTO' }, 30: { error: 'EPROTO' } }, true), { asked: [20, 30], error: undefined })
})

t.test('which disks are DRBD’s', async t => {
  for (const [path, script, target] of [
    ['/dev/drbd3', undefined, '/dev/drbd3'],
    ['r0', 'block-drbd', 'drbd:r0'],
    ['drbd:r0', undefined, 'drbd:r0'],
    ['/dev/sda', undefined, undefined],
    ['drbd:-r0', undefined, undefined],
  ] as const) {
    let probed: string | undefined
    const probe = async (target: string) => {
      probed = target
      return ready
    }
    const set = setUpCheckpoints([disk(path, script)], [drbdKind({ probe, open: played({}).open })], { nameOf })
    if (target === undefined) await t.rejects(set, { code: 'no-kind' }, path)
    else await (await set).teardown()
    t.equal(probed, target, path)
  }
})

t.test('what the probe found is told, which libxl hides', async t => {
  const probe = async (): Promise<ProbeResult> => ({
    outcome: 'not-protocol-d',
    why: 'r0 uses protocol C',
    hint: 'use D',
  })
  const set = (libxlExact: boolean) =>
    setUpCheckpoints([disk('/dev/drbd0')], [drbdKind({ probe, open: played({}).open, libxlExact })], { nameOf })
  await t.rejects(set(false), { code: 'step-failed', message: /not-protocol-d: r0 uses protocol C \(use D\)/ })
  await t.rejects(set(true), { code: 'no-kind' })
})

t.test('tapdisk’s FIFOs', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'xenlight-tap-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'remus_host_1')
  execFileSync('mkfifo', [path, `${path}.msg`])
  const kind = tapKind({
    open: wanted => {
      t.equal(wanted, '/var/run/tap/remus_host_1')
      return openTapFifos(path)
    },
  })
  const peer = await open(`${path}.msg`, 'r+')
  const control = await open(path, 'r+')
  t.teardown(() => Promise.all([peer.close(), control.close()]))
  await peer.write('done')
  const run = async (answer: string[]) => {
    await using devices = await setUpCheckpoints([disk('tap:tapdisk:remus:host:1|aio:/x')], [kind], { nameOf })
    await devices.postsuspend()
    const { buffer, bytesRead } = await control.read(Buffer.alloc(16), 0, 16, null)
    t.equal(buffer.toString('latin1', 0, bytesRead), 'flush')
    await devices.preresume()
    const committed = devices.commit({ timeout: 500 })
    // it may fail before it is waited for
    committed.catch(() => {})
    for (const piece of answer) {
      await peer.write(piece)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    await committed
  }
  await run(['do', 'ne'])
  await t.rejects(run(['nope']), { message: /answered 'nope'/ })
  await t.rejects(run([]), { message: /not done within 500 ms/ }, 'nor is the answer to an earlier session taken')
  for (const bad of ['remus:../x:1|aio:/x', 'remus:a/b:1|aio:/x', 'remus:a\0:1|aio:/x'])
    await t.rejects(setUpCheckpoints([disk(bad)], [kind], { nameOf }), { code: 'no-kind' })
  writeFileSync(join(folder, 'plain'), '')
  symlinkSync(path, join(folder, 'link'))
  await t.rejects(openTapFifos(join(folder, 'plain')), { code: 'not-ready' })
  await t.rejects(openTapFifos(join(folder, 'link')), { code: 'not-ready' })
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parseDisk, resolveDisk } from 'xenlight'
import { type CheckpointDevices, setUpCheckpoints } from 'xenlight/checkpoint'
import { drbdKind, type ProbeResult } from 'xenlight/remus'
import { projectRoot } from '../support/project-root.js'

type Answer = { result: number } | { error: string }

const ready: ProbeResult = { outcome: 'ready', device: '/dev/drbd0' }
const sent: Answer = { result: 0 }

/** A disk on a DRBD device that is probed so and answers SEND and WAIT so, and what it was asked. */
function drbd(libxlExact: boolean, { probed = ready, send = sent, wait = sent } = {}) {
  const asked: number[] = []
  const device = {
    async ioctl(request: number): Promise<Answer> {
      asked.push(request)
      return request === 20 ? send : wait
    },
    async close() {},
  }
  const where = { domid: 1, domainType: 'pv', target: 'block', domidOf: () => undefined } as const
  const disk = resolveDisk(parseDisk('phy:/dev/drbd0,xvda,w'), where)
  const kind = drbdKind({ probe: async () => probed, open: async () => device, libxlExact })
  const devices = setUpCheckpoints([disk], [kind], { nameOf: ({ vdev }) => vdev })
  return { asked, devices }
}

async function epoch(devices: CheckpointDevices): Promise<void> {
  await devices.postsuspend()
  await devices.preresume()
  await devices.commit()
}

/** By what docs/departures.md says that libxl does. */
const departures: Record<string, (t: Test) => Promise<void>> = {
  async 'takes every exit status of block-drbd-probe but 0 for a disk of another kind, and tells nobody which'(t) {
    for (const outcome of ['not-drbd', 'unknown', 'not-protocol-d', 'not-ready'] as const) {
      const probed: ProbeResult = { outcome, why: 'this is why', hint: 'do that' }
      await t.rejects(drbd(true, { probed }).devices, { code: 'no-kind', message: /drbd: block-drbd-probe does not/ })
      await t.rejects(drbd(false, { probed }).devices, {
        code: 'step-failed',
        step: 'setup',
        message: `xvda failed in setup: ${outcome}: this is why (do that)`,
        failures: [{ error: { name: 'RemusError', code: 'not-ready' } }],
      })
    }
  },
  async 'takes an error of the ioctl SEND_CHECKPOINT for a checkpoint that was sent'(t) {
    const send: Answer = { error: 'EPROTO' }
    const theirs = drbd(true, { send })
    await epoch(await theirs.devices)
    t.same(theirs.asked, [20, 30], 'an ack is awaited of what was never sent')
    const ours = drbd(false, { send })
    await t.rejects(epoch(await ours.devices), {
      step: 'postsuspend',
      message: /SEND_CHECKPOINT failed with EPROTO: the peer is gone, or its disk is below Consistent/,
    })
    t.same(ours.asked, [20])
  },
  async 'does not look at what the ioctl WAIT_CHECKPOINT_ACK returns'(t) {
    const wait: Answer = { error: 'EPROTO' }
    const theirs = await drbd(true, { wait }).devices
    await epoch(theirs)
    await epoch(theirs)
    await t.rejects(epoch(await drbd(false, { wait }).devices), {
      step: 'preresume',
      message: /WAIT_CHECKPOINT_ACK failed with EPROTO: the peer is gone/,
      failures: [{ error: { name: 'RemusError', code: 'checkpoint-failed' } }],
    })
  },
}

const rows = readFileSync(join(projectRoot, 'docs/departures.md'), 'utf8').matchAll(
  /^\| `drbdKind` \| (.*?) \| .* \| `libxlExact: true` \|$/gm,
)
const told = [...rows].map(([, what]) => what!)

t.test('each row of docs/departures.md has a test, and each test a row', async t => {
  t.same(told, Object.keys(departures))
})

for (const what of told) t.test(`libxl ${what}`, async t => departures[what]?.(t))

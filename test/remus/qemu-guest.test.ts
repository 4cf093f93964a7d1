import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { setUpCheckpoints } from 'xenlight/checkpoint'
import { cont, type Qmp, queryStatus, stop } from 'xenlight/qmp'
import { qemuGuest, RemusSession } from 'xenlight/remus'
import { guestSector, silentGuest } from '../guest/numbered-guest.js'
import { startQemu } from '../real/qemu.js'
import { realPart } from '../support/real-part.js'

const limits = { signal: new AbortController().signal }

/** A QEMU whose guest writes to its disk without end; each write fails where `fails`. */
const onGuest = (name: string, fails: boolean, work: (t: Test, qmp: Qmp) => Promise<void>) =>
  t.test(name, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'qemu-guest-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const filename = join(folder, 'disk')
    writeFileSync(filename, guestSector(silentGuest))
    truncateSync(filename, 1 << 20)
    const file = { driver: 'file', filename }
    const broken = { 'inject-error': [{ event: 'none', iotype: 'write', errno: 5, once: false }] }
    const disk = { 'node-name': 'disk', ...(fails ? { driver: 'blkdebug', image: file, ...broken } : file) }
    const started = await realPart(t, () =>
      startQemu(['-blockdev', JSON.stringify(disk), '-device', 'ide-hd,drive=disk,werror=stop']),
    )
    if (started === undefined) return
    if (started.qemu === undefined) {
      t.fail(started.refusal)
      return
    }
    await using qemu = started.qemu
    await work(t, qemu.client)
  })

const stateOf = async (qmp: Qmp): Promise<string> => (await qmp.run(queryStatus)).status

/** What the guest is in the middle of an epoch, and after it. */
async function epoch(qmp: Qmp): Promise<[string, string]> {
  const guest = qemuGuest(qmp)
  await guest.suspend(limits)
  const within = await stateOf(qmp)
  await guest.resume(limits)
  return [within, await stateOf(qmp)]
}

onGuest('a guest that runs stands still, and goes on', false, async (t, qmp) => {
  await qmp.run(cont)
  t.same(await epoch(qmp), ['paused', 'running'])
  t.same(await epoch(qmp), ['paused', 'running'], 'and again')
})

onGuest('one that somebody has paused stays so', false, async (t, qmp) => {
  await qmp.run(cont)
  await qmp.run(stop)
  t.same(await epoch(qmp), ['paused', 'paused'])
  await qmp.run(cont)
  t.same(await epoch(qmp), ['paused', 'running'], 'until it is let go on')
})

onGuest('one that stopped at a failed write stays so: its disk is to be seen to', true, async (t, qmp) => {
  await using events = qmp.events({ names: ['STOP'] })
  await qmp.run(cont)
  await events.next()
  t.equal(await stateOf(qmp), 'io-error')
  t.same(await epoch(qmp), ['io-error', 'io-error'])
})

onGuest('under a session: it runs between the epochs and after the last', false, async (t, qmp) => {
  await qmp.run(cont)
  const states: string[] = []
  const look = async () => void states.push(await stateOf(qmp))
  const device = { setup: look, postsuspend: look, preresume: look, commit: look, teardown: look }
  const kinds = [{ name: 'looks', match: async () => ({ device }) }]
  const devices = await setUpCheckpoints(['hda'], kinds, { nameOf: name => name })
  const session = new RemusSession({ devices, hooks: qemuGuest(qmp), interval: 1 })
  const ended = session.start()
  await session.epochs.next()
  await delay(1)
  t.match(await session.stop(), { reason: 'stopped', guest: 'running' })
  await ended
  t.same(states.slice(0, 4), ['running', 'paused', 'paused', 'running'])
  t.equal(states.at(-1), 'running', 'at the teardown')
  t.equal(await stateOf(qmp), 'running')
})

onGuest('a QEMU that is gone is an error of its step, and the guest is not known to run', false, async (t, qmp) => {
  await qmp.run(cont)
  const nothing = async () => {}
  const device = { setup: nothing, postsuspend: nothing, preresume: nothing, commit: nothing, teardown: nothing }
  const kinds = [{ name: 'does nothing', match: async () => ({ device }) }]
  const devices = await setUpCheckpoints(['hda'], kinds, { nameOf: name => name })
  const guest = qemuGuest(qmp)
  const hooks = { ...guest, sendCheckpoint: () => qmp.close() }
  const session = new RemusSession({ devices, hooks, interval: 0 })
  t.match(await session.start(), { reason: 'failed', committed: 1, guest: 'unknown', failure: { step: 'suspend' } })
})

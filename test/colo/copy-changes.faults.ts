import t from 'tap'
import { failOver, type PairEvent, protectPair } from 'xenlight/colo'
import { forms } from '../dm-args/real-qemu/forms.js'
import { realPart } from '../support/real-part.js'
import { contents, onEach, pairOptions, qemuPair } from './colo-pair.js'

const mebibyte = 1024 * 1024
const size = 24 * mebibyte

const losses = {
  'is killed': 'SIGKILL',
  'is frozen': 'SIGSTOP',
  'loses its link': undefined,
} as const

for (const [what, signal] of Object.entries(losses))
  t.test(`the secondary ${what} while changes are copied: the guest's writes succeed, and the copy fails`, async t => {
    const qemus = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda', 'sda'], 'raw', { size }))
    if (qemus === undefined) return
    const { primary, secondary, names: disks, records } = qemus
    const first = await protectPair({ ...pairOptions(qemus, primary, secondary, 1), equal: true })
    await onEach(primary, () => 'write -P 1 0 24M')
    await first.checkpoint()
    await first.stop()
    await onEach(primary, () => 'write -P 2 0 16M')

    const options = pairOptions(qemus, primary, secondary, 2)
    const events: PairEvent[] = []
    let begun = () => {}
    const copying = new Promise<void>(resolve => {
      begun = resolve
    })
    const onEvent = (event: PairEvent) => {
      events.push(event)
      if (event.type === 'progress' && event.current > 0) begun()
    }
    const heartbeat = { every: 100, timeout: 500 }
    const failing = t.rejects(protectPair({ ...options, onEvent, heartbeat, speed: 2 * mebibyte }), {
      name: 'QmpError',
      code: 'job-failed',
      message: /the secondary was cut off, and the copy with it/,
    })
    await copying
    t.match(events, [{ type: 'plan', plan: { kind: 'changes', since: 1 } }, { type: 'plan' }])
    if (signal !== undefined) process.kill(secondary.qemu.pid, signal)
    else {
      const all = await primary.qemu.qmp<{ type: string }[]>('query-yank')
      await primary.qemu.qmpOutOfBand('yank', { instances: all.filter(({ type }) => type === 'block-node') })
    }
    // marked, and copied before it may be written
    for (const at of [15, 14, 13]) await onEach(primary, () => `write -P 3 ${at}M 512k`)
    await failing
    // the monitor's qemu-io says what failed on QEMU's own output only
    for (const at of [15, 14, 13]) await onEach(primary, () => `read -P 3 ${at}M 512k`)
    t.notMatch(primary.qemu.printed(), /fail/i, 'what the guest wrote is there')
    await onEach(primary, disk => `write -P ${4 + disk} 20M 1M`)

    if (signal === 'SIGKILL') await secondary.qemu.stop()
    if (signal === 'SIGSTOP') process.kill(secondary.qemu.pid, 'SIGCONT')
    const follower = signal === 'SIGKILL' ? await qemus.restart(secondary, 'secondary') : secondary
    events.length = 0
    const pair = await protectPair({ ...pairOptions(qemus, primary, follower, 3), onEvent })
    t.match(
      events,
      [{ type: 'plan', plan: { kind: 'changes', since: 1 } }, { type: 'plan' }],
      'it is still known what differs',
    )
    await pair.checkpoint()
    await pair[Symbol.asyncDispose]()
    await primary.qemu.stop()
    await failOver({ secondary: { qmp: follower.qemu.client, records }, disks, epoch: 4 })
    await follower.qemu.quit()
    for (const [index, disk] of follower.disks.entries())
      t.ok(contents(disk).equals(contents(primary.disks[index]!)), `${disk.vdev} is equal`)
  })

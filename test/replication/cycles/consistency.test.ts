import { stop } from 'xenlight/qmp'
import { failed as guestFailed } from '../../../bench/colo/boot-sector.js'
import { checkNumbers, lastNumber } from '../../../bench/colo/numbered-sectors.js'
import { eventually } from '../../protocol-d/eventually.js'
import { boot } from './boot.js'
import type { CycleGuest } from './cycle-guest.js'
import { failed, isEqual, onGuest, settled } from './on-guest.js'
import { hold } from './staged-target.js'

const mebibyte = 1024 * 1024
const settings = { disks: 2, size: mebibyte, args: ['-debugcon', 'stdio'] }

const running = ({ qemu }: CycleGuest) => {
  if (qemu.printed().includes(guestFailed)) throw new Error('the guest could not write')
}

/** The last numbers of both disks at the hub, each without a gap. */
function numbers({ target }: CycleGuest): [number, number] {
  const [one, two] = [target.contents('disk0'), target.contents('disk1')]
  for (const disk of [one, two]) checkNumbers(disk)
  return [lastNumber(one), lastNumber(two)]
}

const isConsistent = ([one, two]: [number, number]) => one === two || one === two + 1

const kinds = [{ format: 'qcow2' }, { format: 'raw' }, { format: 'raw', threads: true }] as const

for (const kind of kinds)
  onGuest(
    `a guest that writes to two disks by turns, ${JSON.stringify(kind)}: each cycle is one moment of both`,
    { ...settings, ...kind },
    async (t, guest) => {
      const { runner } = await guest.agent()
      await boot(t, guest)
      const copies: number[] = []
      let before = 0
      for (let count = 0; count < 40; count++) {
        // some take long, so that the guest writes into what is not copied yet
        guest.target.faults.onWrite = count % 2 === 0 ? undefined : () => new Promise(resolve => setTimeout(resolve, 3))
        const { took } = settled(await runner.cycle())
        copies.push(took.copy)
        const last = numbers(guest)
        if (!isConsistent(last)) t.fail(`cycle ${count}: ${last}`)
        if (last[0] < before) t.fail(`cycle ${count} goes back`)
        before = last[0]
      }
      running(guest)
      t.ok(before > 40, 'the guest writes')
      copies.sort((a, b) => a - b)
      t.comment(`${before} writes; a copy took ${copies[20]!.toFixed(1)} ms, at most ${copies[39]!.toFixed(1)}`)
      await guest.qemu.client.run(stop)
      settled(await runner.cycle())
      await isEqual(t, guest, 'in the end')
    },
  )

onGuest('without the transaction they are not one moment: the check can fail', settings, async (t, guest) => {
  const { qmp, runner } = await guest.agent()
  // what is sent in one command is sent in two
  const execute = qmp.execute.bind(qmp)
  qmp.execute = async (command, args, options) => {
    const { actions = [] } = (args ?? {}) as { actions?: { type: string }[] }
    if (actions.filter(({ type }) => type === 'blockdev-backup').length < 2) return execute(command, args, options)
    await execute(command, { actions: actions.slice(0, -1) }, options)
    return execute(command, { actions: actions.slice(-1) }, options)
  }
  await boot(t, guest)
  let bad = 0
  for (let count = 0; count < 60 && bad === 0; count++) {
    settled(await runner.cycle())
    if (!isConsistent(numbers(guest))) bad++
  }
  t.ok(bad > 0, 'it was found')
})

onGuest('a frozen target without out-of-band commands, and a guest that writes', settings, async (t, guest) => {
  const { runner, qmp } = await guest.agent({ limit: 500 })
  Object.defineProperty(qmp, 'outOfBand', { value: false })
  t.equal(runner.hasSureDeadline, false, 'it is said')
  await boot(t, guest)
  settled(await runner.cycle())
  const frozen = hold()
  guest.target.faults.onWrite = () => frozen.waits
  const before = lastNumber(await guest.contents(0))
  t.match(failed(await runner.cycle()), { step: 'copy', why: /not done within 500 ms/, left: [] })
  await eventually('the guest goes on', async () => lastNumber(await guest.contents(0)) > before + 10)
  running(guest)
  guest.target.faults = {}
  frozen.release()
  settled(await runner.cycle())
  t.ok(isConsistent(numbers(guest)))
  running(guest)
})

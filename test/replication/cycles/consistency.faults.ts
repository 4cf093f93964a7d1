import { stop } from 'xenlight/qmp'
import { lastNumber, writesIn } from '../../guest/numbered-disks.js'
import { failed as guestFailed } from '../../guest/numbered-guest.js'
import { eventually } from '../../protocol-d/eventually.js'
import { boot, twoDisks } from './boot.js'
import type { CycleGuest } from './cycle-guest.js'
import { failed, isEqual, onGuest, settled } from './on-guest.js'
import { hold } from './staged-target.js'

const mebibyte = 1024 * 1024
const settings = { disks: 2, size: mebibyte, args: ['-debugcon', 'stdio'] }

const running = ({ qemu }: CycleGuest) => {
  if (qemu.printed().includes(guestFailed)) throw new Error('the guest could not write')
}

/** How many of the guest's writes the hub has. @throws Error where it has not all of one moment of both disks */
const writesAtHub = ({ target, volumes }: CycleGuest) =>
  writesIn(
    twoDisks,
    volumes.map(volume => target.contents(volume)),
  )

function isConsistent(guest: CycleGuest): boolean {
  try {
    writesAtHub(guest)
    return true
  } catch {
    return false
  }
}

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
        const writes = writesAtHub(guest)
        if (writes < before) t.fail(`cycle ${count} goes back`)
        before = writes
      }
      running(guest)
      t.ok(before > 80, 'the guest writes')
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
    if (!isConsistent(guest)) bad++
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
  const last = async () => lastNumber(twoDisks, [await guest.contents(0)])
  const before = await last()
  t.match(failed(await runner.cycle()), { step: 'copy', why: /not done within 500 ms/, left: [] })
  await eventually('the guest goes on', async () => (await last()) > before + 20)
  running(guest)
  guest.target.faults = {}
  frozen.release()
  settled(await runner.cycle())
  t.ok(isConsistent(guest))
  running(guest)
})

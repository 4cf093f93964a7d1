import t from 'tap'
import { buildDiskArgs } from 'xenlight/dm-args'
import { type QemuBinary, startsOfQemu } from '../real/qemu.js'
import { diskImages } from '../support/disk-images.js'
import { goldenRows } from '../support/golden.js'
import { realPart } from '../support/real-part.js'
import { twoAtATime } from '../support/two-at-a-time.js'
import { check, type Form } from './real-qemu-check.js'
import { type GoldenGuest, guestOf } from './real-qemu-guest.js'
import { serveNbd } from './real-qemu-nbd.js'

/** All guests of the goldens for which libxl gives QEMU arguments. */
const guests = goldenRows<GoldenGuest>('argv.jsonl.gz').filter(({ argv }) => argv !== null && argv.length > 0)

const forms: Record<string, Form> = {
  '-drive': { build: ({ disks, options }) => buildDiskArgs(disks, options), passesFaults: true },
}

/** How many guests become what. */
const outcomes: Record<QemuBinary, Record<string, number>> = {
  'qemu-system-x86_64': {},
  'xen-qemu-system-i386': {},
}

for (const binary of ['qemu-system-x86_64', 'xen-qemu-system-i386'] satisfies QemuBinary[])
  for (const [name, form] of Object.entries(forms))
    t.test(`${binary} shows what the records ask for: ${name}`, async t => {
      using own = diskImages()
      using first = diskImages()
      using second = diskImages()
      await using tap = await realPart(t, () => serveNbd(own))
      if (tap === undefined) return
      const tally: Record<string, number> = {}
      await twoAtATime(guests, [first, second], async (row, images) => {
        const outcome = await check(t, guestOf(row, images, tap.socket), form, binary, images.directory)
        tally[outcome] = (tally[outcome] ?? 0) + 1
        images.clear()
      })
      const counts = Object.entries(tally).map(([outcome, count]) => `${count} ${outcome}`)
      t.comment(`${name}: ${counts.sort().reverse().join(', ')}`)
      t.strictSame(tally, outcomes[binary])
    })

t.test('each of them was a real start', t => {
  for (const count of startsOfQemu()) t.comment(count)
  t.end()
})

import t from 'tap'
import { type QemuBinary, startsOfQemu } from '../real/qemu.js'
import { diskImages } from '../support/disk-images.js'
import { goldenRows } from '../support/golden.js'
import { realPart } from '../support/real-part.js'
import { twoAtATime } from '../support/two-at-a-time.js'
import { check } from './real-qemu-check.js'
import { forms } from './real-qemu-forms.js'
import { type GoldenGuest, guestOf } from './real-qemu-guest.js'
import { serveNbd } from './real-qemu-nbd.js'

/** All guests of the goldens for which libxl gives QEMU arguments. */
const guests = goldenRows<GoldenGuest>('argv.jsonl.gz').filter(({ argv }) => argv !== null && argv.length > 0)

/** How many guests become what. */
const outcomes: Record<QemuBinary, Record<string, number>> = {
  'qemu-system-x86_64': {
    'shown as asked for': 433,
    'refused: COLO would not replicate it': 48,
    'refused by QEMU: no such SCSI number': 19,
    'refused by QEMU: no such IDE bus': 14,
    'refused by QEMU: no such AHCI port': 2,
    'refused by QEMU: two hard disks in one IDE place': 8,
    'refused by QEMU: two disks with one id': 4,
    'refused by QEMU: a CD drive in the place of another drive': 2,
    'refused by QEMU: two disks of a stub domain on one device': 2,
  },
  'xen-qemu-system-i386': {
    'shown as asked for': 413,
    'refused: COLO would not replicate it': 48,
    'refused by QEMU: a driver it was built without': 21,
    'refused by QEMU: no such SCSI number': 18,
    'refused by QEMU: no such IDE bus': 14,
    'refused by QEMU: no such AHCI port': 2,
    'refused by QEMU: two hard disks in one IDE place': 8,
    'refused by QEMU: two disks with one id': 4,
    'refused by QEMU: a CD drive in the place of another drive': 2,
    'refused by QEMU: two disks of a stub domain on one device': 2,
  },
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
      const counts = Object.entries(tally).sort(([, a], [, b]) => b - a)
      t.comment(`${name}: ${counts.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`)
      t.strictSame(tally, outcomes[binary])
    })

t.test('each of them was a real start', t => {
  for (const count of startsOfQemu()) t.comment(count)
  t.end()
})

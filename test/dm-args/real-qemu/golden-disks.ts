import { randomInt } from 'node:crypto'
import type { Test } from 'tap'
import { type QemuBinary, startQemu, startsOfQemu } from '../../real/qemu.js'
import { argvGolden } from '../../support/argv-golden.js'
import { diskImages } from '../../support/disk-images.js'
import { realPart } from '../../support/real-part.js'
import { twoAtATime } from '../../support/two-at-a-time.js'
import { check, type Outcome } from './check.js'
import { type Form, forms } from './forms.js'
import { type GoldenGuest, guestOf } from './guest.js'
import { mixedGuests } from './mixed.js'
import { serveNbd } from './nbd.js'

/** All guests for which libxl gives QEMU arguments. */
const guests = argvGolden('xen-4.17.txt').filter(({ argv }) => argv.length > 0)

/** How many of them become what. Not one is left out. */
function outcomesOf(binary: QemuBinary): Partial<Record<Outcome, number>> {
  const lacking = binary === 'xen-qemu-system-i386' ? 20 : 0
  return {
    'shown as asked for': 433 - lacking,
    ...(lacking > 0 && { 'a driver that QEMU was built without': lacking }),
    'COLO that QEMU would not replicate': 48,
    'no such SCSI number': 19,
    'no such IDE bus': 14,
    'two hard disks in one IDE place': 8,
    'two disks with one number': 4,
    'a CD drive in the place of another drive': 2,
    'no such AHCI port': 2,
    'two disks of a stub domain on one device': 2,
  }
}

/** Checks guests and counts what becomes of them; undefined without QEMU. */
async function checkAll(t: Test, rows: readonly GoldenGuest[], form: Form, binary: QemuBinary) {
  using server = diskImages()
  using first = diskImages()
  using second = diskImages()
  await using tap = await realPart(t, async () => {
    first.image('probe', 'qcow2')
    await (await startQemu([], { binary })).qemu?.stop()
    return serveNbd(server)
  })
  if (tap === undefined) return undefined
  const tally: Partial<Record<Outcome, number>> = {}
  await twoAtATime(rows, [first, second], async (row, images) => {
    const outcome = await check(t, guestOf(row, images, tap.socket), form, binary, images.directory)
    tally[outcome] = (tally[outcome] ?? 0) + 1
    images.clear()
  })
  return tally
}

/** Only root may make the devices that a stub domain has. */
const startable = (rows: readonly GoldenGuest[]) => {
  using images = diskImages()
  return images.blockDevice() === undefined ? rows.filter(({ stubdom }) => !stubdom) : rows
}

const { CI } = process.env

const runs = [
  ['qemu-system-x86_64', 'drive'],
  ['qemu-system-x86_64', 'blockdev'],
  ['xen-qemu-system-i386', 'drive'],
] as const

/**
 * The disks of the goldens' guests, and of chance mixtures, on real QEMUs: drivers, files, cache, write access, device and place are what the
 * records ask for.
 *
 * @param every of how many guests one is started, from any of them on: with 1 all are, and what became of them is counted
 * @param mixtures how many there are of each kind
 */
export async function checkGoldenDisks(
  t: Test,
  { every, mixtures }: { every: number; mixtures: number },
): Promise<void> {
  const seed = CI ? randomInt(2 ** 31) : 1
  const share = guests.filter((_, place) => (place + seed) % every === 0)
  for (const [binary, name] of runs)
    await t.test(`${binary} shows what the records of the goldens ask for, by ${name} (seed ${seed})`, async t => {
      const rows = startable(share)
      const tally = await checkAll(t, rows, forms[name], binary)
      if (tally === undefined) return
      const counts = Object.entries(tally).sort(([, a], [, b]) => b - a)
      t.comment(`${name}: ${counts.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`)
      const whole = outcomesOf(binary)
      const unknown = Object.keys(tally).filter(outcome => !(outcome in whole))
      t.strictSame(unknown, [], 'each becomes what some of the goldens become')
      t.ok((tally['shown as asked for'] ?? 0) > rows.length / 10, 'some are shown')
      if (rows.length === guests.length) t.strictSame(tally, whole)
      else if (rows.length < share.length) {
        t.comment(`${share.length - rows.length} guests with a stub domain not started, which needs root`)
        t.notOk(CI, 'is run as root')
      }
    })

  for (const [binary, name] of [...runs, ['xen-qemu-system-i386', 'blockdev']] as const)
    await t.test(`${binary} shows what other records ask for, by ${name} (seed ${seed})`, async t => {
      const tally = await checkAll(t, startable(mixedGuests(guests, seed, mixtures)), forms[name], binary)
      if (tally) t.ok((tally['shown as asked for'] ?? 0) > mixtures / 10, JSON.stringify(tally))
    })

  for (const count of startsOfQemu()) t.comment(count)
}

import { setTimeout as delay } from 'node:timers/promises'
import { cont, stop } from 'xenlight/qmp'
import { lastNumber, writesIn } from '../../test/guest/numbered-disks.js'
import { silentGuest } from '../../test/guest/numbered-guest.js'
import { contentsOf, untilBooted } from '../colo/writing-guest.js'
import { byTurns } from './by-turns.js'
import { type KeptGuest, keptGuest } from './kept-guest.js'
import { mebibyte } from './make-disk.js'

/** How long a guest writes before it is another's turn, in milliseconds. */
const slice = 2000

/** A guest that writes one sector after the other: what it keeps of its rate where its disk is kept elsewhere too. */
export const benchGuests = (): Promise<string> =>
  byTurns({
    title: "replication: a guest's writes, depth 1",
    unit: 'sectors/s',
    sets: [['qemu-nbd', 'inline'], ['background mirror', 'blocking mirror'], ['cycles'], ['child']],
    async begin(stack, keeping) {
      const guest = await keptGuest(stack, keeping, { size: mebibyte })
      await guest.qemu.client.run(cont)
      await untilBooted(guest)
      await standStill(guest)
      return () => rateOf(guest)
    },
  })

/** In sectors a second. */
async function rateOf(guest: KeptGuest): Promise<number> {
  await guest.qemu.client.run(cont)
  await guest.resume()
  const before = lastNumber(silentGuest, [contentsOf(guest)])
  const start = performance.now()
  await delay(slice)
  const taken = performance.now() - start
  const written = lastNumber(silentGuest, [contentsOf(guest)]) - before
  await guest.untilKept()
  await standStill(guest)
  writesIn(silentGuest, [contentsOf(guest)])
  return (written / taken) * 1000
}

/** QEMU 7.2 may end where its nodes are asked for while it stops its guest beneath a backup: no cycle is under way then. */
async function standStill(guest: KeptGuest): Promise<void> {
  await guest.pause()
  await guest.qemu.client.run(stop)
}

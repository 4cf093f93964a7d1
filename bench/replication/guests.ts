import { setTimeout as delay } from 'node:timers/promises'
import { cont, stop } from 'xenlight/qmp'
import type { Teardowns } from '../../test/protocol-d/teardowns.js'
import { writeRate } from '../colo/write-rate.js'
import { untilBooted } from '../colo/writing-guest.js'
import { byTurns } from './by-turns.js'
import { keptGuest } from './kept-guest.js'
import { mebibyte } from './make-disk.js'

/** How long a guest writes before it is another's turn, in milliseconds. */
const slice = 2000

/** A guest that writes one sector after the other: what it keeps of its rate where its disk is kept elsewhere too. */
export const benchGuests = (): Promise<string> =>
  byTurns({
    title: "replication: a guest's writes, depth 1",
    unit: 'sectors/s',
    sets: [['qemu-nbd', 'inline'], ['background mirror', 'blocking mirror'], ['cycles'], ['child']],
    async begin(stack: Teardowns, keeping) {
      const guest = await keptGuest(stack, keeping, { size: mebibyte })
      const { client } = guest.qemu
      await client.run(cont)
      await untilBooted(guest)
      await client.run(stop)
      return async () => {
        const rate = await writeRate(guest, () => delay(slice))
        await guest.untilKept()
        return rate
      }
    },
  })

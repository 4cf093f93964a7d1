import { cont, stop } from 'xenlight/qmp'
import { lastNumber, writesIn } from '../../test/guest/numbered-disks.js'
import { silentGuest } from '../../test/guest/numbered-guest.js'
import { contentsOf, type WritingGuest } from './writing-guest.js'

/** How many sectors a second a guest writes while some work is done; it stands still before and after. @throws Error where its disk has not all of them */
export async function writeRate(guest: WritingGuest, work: () => Promise<unknown>): Promise<number> {
  const { client } = guest.qemu
  const before = lastNumber(silentGuest, [contentsOf(guest)])
  await client.run(cont)
  const start = performance.now()
  await work()
  const taken = performance.now() - start
  await client.run(stop)
  return ((writesIn(silentGuest, [contentsOf(guest)]) - before) / taken) * 1000
}

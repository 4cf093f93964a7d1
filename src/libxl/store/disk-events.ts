import type { Xenstore } from '../../xenstore/xenstore.js'
import { checkDomainCall } from './check-call.js'
import type { DiskEvent } from './disk-event.js'
import { DiskMonitor } from './disk-monitor.js'

export interface DiskEventsOptions {
  signal?: AbortSignal | undefined
}

/**
 * What happens to the disks of a domain, from the first `next()` on: `for await (const event of diskEvents(store, 5))`. Leaving the loop
 * takes all its watches off the store. Events are found by looking when something changes: of what happened several times
 * between two looks, the last is told, and a reader that takes its time costs no memory.
 *
 * Which disks there are is read from libxl's own tree. From the guest's comes the word "eject" alone, for removable disks
 * (`libxl_evenable_disk_eject`); what a backend writes is quoted in messages.
 *
 * @throws XenstoreError where the store fails, ECANCELED where the signal is aborted
 * @throws TypeError, RangeError for a domid outside 0 to 32751
 */
export function diskEvents(
  store: Xenstore,
  domid: number,
  options: DiskEventsOptions = {},
): AsyncIterableIterator<DiskEvent, undefined, undefined> {
  checkDomainCall(store, domid, options)
  const monitor = new DiskMonitor(store, domid, options.signal)
  const generator = events(monitor)
  const end = generator.return.bind(generator)
  // a generator's own would wait for the event that its `next` waits for
  generator.return = () => {
    monitor.stop()
    return end(undefined)
  }
  return generator
}

async function* events(monitor: DiskMonitor): AsyncGenerator<DiskEvent, undefined, undefined> {
  try {
    for (let found = await monitor.next(); found !== undefined; found = await monitor.next()) yield* found
  } finally {
    monitor.stop()
  }
}

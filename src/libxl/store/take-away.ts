import type { Xenstore } from '../../xenstore/xenstore.js'
import { destroyDevice } from './destroy-device.js'
import { type Aftermath, messageOf } from './failure-of.js'
import type { PreparedDisk } from './prepare-disk.js'

/** Removes disks that were written in vain, also when the caller's signal has been aborted. */
export async function takeAway(store: Xenstore, disks: readonly PreparedDisk[]): Promise<Aftermath> {
  const results = await Promise.allSettled(disks.map(({ device }) => destroyDevice(store, device)))
  const why = results.flatMap((result, index) =>
    result.status === 'rejected' ? [`${disks[index]?.disk.vdev} (${messageOf(result.reason)})`] : [],
  )
  return why.length > 0 ? { kind: 'left behind', why } : { kind: 'taken away' }
}

import type { Xenstore } from '../../xenstore/xenstore.js'
import { destroyDevice } from './destroy-device.js'
import type { PreparedDisk } from './prepare-disk.js'

/** Removes disks that were written in vain, also after the caller's signal was aborted; those that stay, with the reason. */
export async function takeAway(store: Xenstore, disks: readonly PreparedDisk[]): Promise<string[]> {
  const results = await Promise.allSettled(disks.map(({ device }) => destroyDevice(store, device)))
  return results.flatMap((result, index) =>
    result.status === 'rejected' ? [`${disks[index]?.disk.vdev} (${reasonIn(result.reason)})`] : [],
  )
}

const reasonIn = (error: unknown): string => (error instanceof Error ? error.message : String(error))

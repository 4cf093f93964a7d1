import type { Xenstore } from '../../xenstore/xenstore.js'
import { destroyDevice } from './destroy-device.js'
import type { DiskHost } from './disk-host.js'
import { type Aftermath, messageOf } from './failure-of.js'
import type { PreparedDisk } from './prepare-disk.js'
import { removeDevice } from './remove-device.js'

/** A disk whose nodes are in the store. */
export interface WrittenDisk extends PreparedDisk {
  /** Its backend has taken it up, and its hotplug script has run. */
  connected: boolean
}

/** A store that answers no more is not waited for for ever; a backend and its script may take their time, 50 s together. */
const longest = 120_000

/** Removes disks that came in vain, also when the caller's signal has been aborted. */
export async function takeAway(store: Xenstore, disks: readonly WrittenDisk[], host: DiskHost): Promise<Aftermath> {
  const results = await Promise.allSettled(disks.map(disk => takeOneAway(store, disk, host)))
  const why = results.flatMap((result, index) =>
    result.status === 'rejected' ? [`${disks[index]?.disk.vdev} (${messageOf(result.reason)})`] : [],
  )
  return why.length > 0 ? { kind: 'left behind', why } : { kind: 'taken away' }
}

/** One that is connected holds what its script set up: it is removed as a guest's disk is. */
async function takeOneAway(store: Xenstore, { disk, device, connected }: WrittenDisk, host: DiskHost): Promise<void> {
  const signal = AbortSignal.timeout(longest)
  if (!connected) return destroyDevice(store, device, { signal })
  const found = { ...device, vdev: disk.vdev }
  await removeDevice(store, found, { force: true, host, paused: false, libxlExact: false, signal })
}

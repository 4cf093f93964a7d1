import type { Xenstore } from '../../xenstore/xenstore.js'
import { destroyDevice } from './destroy-device.js'
import { whatStands } from './device-changed.js'
import type { ClaimState, DeviceClaim } from './device-claim.js'
import type { DiskHost } from './disk-host.js'
import type { PreparedDisk } from './prepare-disk.js'
import { removeDevice } from './remove-device.js'

/** What became of the disks that had been written when another failed. */
export interface RollBack {
  /**
   * `nothing-written`: there was nothing to undo; `complete`: nothing that we wrote is left; `incomplete`: `left` says what is, or
   * may be; `kept`: the disks stay, as libxl leaves them.
   */
  readonly outcome: 'nothing-written' | 'complete' | 'incomplete' | 'kept'
  /** Devices that were left alone. */
  readonly left: readonly LeftDevice[]
}

/** A device that was not removed. */
export interface LeftDevice {
  readonly index: number
  readonly vdev: string
  /** Whether it is the one that we wrote; undefined where nobody can tell. */
  readonly ours: boolean | undefined
  readonly why: string
}

/** A disk whose nodes are in the store, or may be. */
export interface WrittenDisk extends PreparedDisk {
  index: number
  claim: DeviceClaim
  /** Its backend has taken it up, and its hotplug script has run. */
  connected: boolean
}

/** How long to wait for a store that answers no more; a backend and its script may take their time, 50 s together. */
const longest = 120_000

/** Removes disks that we wrote, and nobody else's; also when the caller's signal has been aborted. */
export async function rollBack(store: Xenstore, disks: readonly WrittenDisk[], host: DiskHost): Promise<RollBack> {
  if (disks.length === 0) return { outcome: 'nothing-written', left: [] }
  const left = (await Promise.all(disks.map(disk => undo(store, disk, host)))).filter(one => one !== undefined)
  return { outcome: left.every(({ ours }) => ours === false) ? 'complete' : 'incomplete', left }
}

async function undo(store: Xenstore, written: WrittenDisk, host: DiskHost): Promise<LeftDevice | undefined> {
  const { index, disk, device } = written
  try {
    const state = await remove(store, written, host)
    if (state === 'held' || state === 'gone') return undefined
    return { index, vdev: disk.vdev, ours: state === 'replaced' ? false : undefined, why: whatStands(device, state) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { index, vdev: disk.vdev, ours: undefined, why: `could not be removed: ${why}` }
  }
}

/** One that is connected holds what its script set up: it is removed as a guest's disk is. */
async function remove(
  store: Xenstore,
  { disk, device, claim, connected }: WrittenDisk,
  host: DiskHost,
): Promise<ClaimState> {
  const signal = AbortSignal.timeout(longest)
  if (!connected) return destroyDevice(store, device, { claim, signal })
  const options = { force: true, host, paused: false, libxlExact: false, signal, claim } as const
  return (await removeDevice(store, { ...device, vdev: disk.vdev }, options)).state
}

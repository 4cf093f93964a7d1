import type { Xenstore } from '../../xenstore/xenstore.js'
import { checkDisks } from '../check-disk.js'
import type { DeviceDisk } from '../device-disk.js'
import { frontendKinds, libxlDevices } from '../device-paths.js'
import { LibxlError } from '../libxl-error.js'
import { refuseSharedDevices } from '../refuse-shared-devices.js'
import type { ResolvedDisk } from '../resolved-disk.js'
import { codeOf } from '../system-error.js'
import { formatVdev, parseVdev } from '../vdev.js'
import { abortable } from './abortable.js'
import { addDisk } from './add-disk.js'
import type { AddDiskOptions } from './add-disk-options.js'
import { checkEnsureCall } from './check-call.js'
import { connectBackend } from './connect-backend.js'
import { connectLimits } from './connect-limits.js'
import { DeviceClaim } from './device-claim.js'
import type { DiskDevice } from './disk-device.js'
import { type DiskDifference, diskDifferences } from './disk-difference.js'
import { domainsByName } from './domains-by-name.js'
import { guestOf } from './guest-of.js'
import { nodeHost } from './node-host.js'
import { type PreparedDisk, type PrepareOptions, prepareDisk } from './prepare-disk.js'
import { readWritten } from './read-written.js'
import { removeDisk } from './remove-disk.js'
import type { RemoveDiskOptions } from './remove-disk-options.js'

export interface EnsureDisksOptions extends Omit<AddDiskOptions, 'libxlExact'> {
  /** Remove the disks of the guest that are not wanted; no by default. */
  removeUnwanted?: boolean | undefined
  /** Remove a disk that differs from the one that is wanted in its place, and attach that; no by default. */
  replaceDifferent?: boolean | undefined
  /** How disks are removed; by default the guest is asked, and keeps a disk that it does not let go. */
  removal?: Pick<RemoveDiskOptions, 'force' | 'paused' | 'timeouts'> | undefined
}

/** What became of a disk that is wanted. */
export type EnsuredDisk = { readonly vdev: string | undefined } & (
  | {
      /** `attached` by this call; `adopted`: an equal one was there, and its backend serves it; `replaced` a different one. */
      readonly outcome: 'attached' | 'adopted' | 'replaced'
      readonly disk: ResolvedDisk
      readonly device: DiskDevice
    }
  | { readonly outcome: 'different'; readonly device: DiskDevice; readonly differences: readonly DiskDifference[] }
  | { readonly outcome: 'failed'; readonly error: Error }
)

/** A disk of the guest's that is not wanted. */
export interface UnwantedDisk {
  readonly vdev: string
  readonly devid: number
  readonly outcome: 'left' | 'removed' | 'failed'
  readonly error?: Error
}

export interface EnsuredDisks {
  /** Every wanted disk is there and served, and, where that was asked for, no other. */
  readonly complete: boolean
  /** One for each wanted disk, in their order. */
  readonly disks: readonly EnsuredDisk[]
  readonly unwanted: readonly UnwantedDisk[]
}

/** How often to look again when another process changes the same device. */
const mostAttempts = 20

/**
 * Makes a guest have some disks: attaches those that are missing, adopts those that are there and equal (and waits for
 * their backends), and says how others differ. Disks that are not wanted, or different, are removed only when asked for. Safe to
 * call again after a crash at any point, and from two processes at once. A disk that fails does not undo the others.
 *
 * @throws LibxlError ERROR_DEVICE_EXISTS where two wanted disks are one device, domain-missing, ERROR_ABORTED
 * @throws XenstoreError where the store fails before the first disk is looked at
 * @throws TypeError, RangeError for wrong arguments
 */
export async function ensureDisks(
  store: Xenstore,
  wanted: readonly DeviceDisk[],
  options: EnsureDisksOptions,
): Promise<EnsuredDisks> {
  checkEnsureCall(store, options)
  checkDisks(wanted, 'wanted')
  const { domid, domainType, signal, host = nodeHost(), wait = true, removeUnwanted = false } = options
  connectLimits(options.timeouts)
  const what = `ensuring the disks of domain ${domid}`
  return abortable(signal, what, async () => {
    const [guest, byName] = await Promise.all([
      guestOf(store, domid, { domainType, signal }),
      domainsByName(store, { signal }),
    ])
    const context = { domid, guest, host, domidOf: (name: string) => byName.get(name), libxlExact: false, wait }
    const ensuring = new Ensuring(store, { ...options, host, wait }, context)
    ensuring.refuseShared(wanted)
    const disks = await Promise.all(wanted.map(disk => ensuring.ensure(disk)))
    const unwanted = await ensuring.handleUnwanted(wanted)
    signal?.throwIfAborted()
    const isThere = ({ outcome }: EnsuredDisk) => outcome !== 'different' && outcome !== 'failed'
    const isClean = !removeUnwanted || unwanted.every(({ outcome }) => outcome === 'removed')
    return { complete: disks.every(isThere) && isClean, disks, unwanted }
  })
}

type Options = EnsureDisksOptions & { host: NonNullable<EnsureDisksOptions['host']>; wait: boolean }

class Ensuring {
  readonly #store: Xenstore
  readonly #options: Options
  readonly #context: PrepareOptions

  constructor(store: Xenstore, options: Options, context: PrepareOptions) {
    this.#store = store
    this.#options = options
    this.#context = context
  }

  /** @throws LibxlError ERROR_DEVICE_EXISTS */
  refuseShared(wanted: readonly DeviceDisk[]): void {
    refuseSharedDevices(wanted.map(disk => ({ ...disk, vdev: disk.vdev ?? '' }) as ResolvedDisk))
  }

  async ensure(wanted: DeviceDisk): Promise<EnsuredDisk> {
    const { vdev } = wanted
    try {
      for (let attempt = 1, replaced = false; ; attempt++) {
        const result = await this.#lookAndAct(wanted, replaced)
        if (result === 'removed') replaced = true
        else if (result !== 'changed') return { vdev, ...result }
        if (attempt >= mostAttempts) {
          throw new LibxlError(
            'device-changed',
            `other processes changed ${vdev} ${attempt} times: only one should manage it`,
            { vdev },
          )
        }
      }
    } catch (error) {
      return { vdev, outcome: 'failed', error: error instanceof Error ? error : new Error(String(error)) }
    }
  }

  async #lookAndAct(
    wanted: DeviceDisk,
    replaced: boolean,
  ): Promise<DistributiveOmit<EnsuredDisk, 'vdev'> | 'changed' | 'removed'> {
    const { signal, replaceDifferent = false } = this.#options
    const prepared = await prepareDisk(wanted, this.#context)
    const { disk, device } = prepared
    using claim = new DeviceClaim(this.#store, device.paths)
    const found = await claim.see(() => readWritten(this.#store, device.paths, { signal }))
    if (found === undefined) return this.#attach(wanted, replaced)
    const differences = diskDifferences(prepared, this.#context.guest.domainType, found)
    if (differences.length === 0)
      return (await this.#adopt(prepared, claim)) ? { outcome: 'adopted', disk, device } : 'changed'
    if (!replaceDifferent) return { outcome: 'different', device, differences }
    await this.#remove(disk.vdev)
    return 'removed'
  }

  async #attach(wanted: DeviceDisk, replaced: boolean): Promise<DistributiveOmit<EnsuredDisk, 'vdev'> | 'changed'> {
    const { removeUnwanted: _, replaceDifferent: __, removal: ___, ...options } = this.#options
    try {
      const { disk, device } = await addDisk(this.#store, wanted, options)
      return { outcome: replaced ? 'replaced' : 'attached', disk, device }
    } catch (error) {
      // somebody else was first: what stands there is looked at
      if (error instanceof LibxlError && (error.reason === 'device-exists' || error.reason === 'device-changed'))
        return 'changed'
      throw error
    }
  }

  /** @returns whether it is still the device that was looked at */
  async #adopt({ device }: PreparedDisk, claim: DeviceClaim): Promise<boolean> {
    const { host, wait, timeouts, signal } = this.#options
    if (!wait) return true
    try {
      await connectBackend(this.#store, device, { host, timeouts, signal, claim, adopt: true })
      return true
    } catch (error) {
      if (error instanceof LibxlError && error.reason === 'device-changed') return false
      throw error
    }
  }

  async #remove(vdev: string): Promise<void> {
    const { domid, host, signal, removal } = this.#options
    await removeDisk(this.#store, domid, vdev, { ...removal, host, signal })
  }

  /** Those that are there and not wanted, removed where that was asked for. */
  async handleUnwanted(wanted: readonly DeviceDisk[]): Promise<UnwantedDisk[]> {
    const { domid, signal, removeUnwanted = false } = this.#options
    const wantedIds = new Set(wanted.map(({ vdev }) => parseVdev(vdev ?? '')?.devid))
    const unwanted: { vdev: string; devid: number }[] = []
    for (const kind of frontendKinds) {
      const directory = libxlDevices(domid, kind)
      const names = await this.#store.directory(directory, { signal }).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') return []
        throw error
      })
      for (const name of names) {
        const devid = /^[0-9]{1,10}$/.test(name) ? Number(name) : -1
        if (devid < 0 || wantedIds.has(devid)) continue
        const dev = await this.#store.readIfPresent(`${directory}/${name}/dev`, { signal })
        unwanted.push({ devid, vdev: dev !== undefined && parseVdev(dev)?.devid === devid ? dev : formatVdev(devid) })
      }
    }
    if (!removeUnwanted) return unwanted.map(disk => ({ ...disk, outcome: 'left' }))
    return Promise.all(unwanted.map(disk => this.#removeUnwanted(disk)))
  }

  async #removeUnwanted(disk: { vdev: string; devid: number }): Promise<UnwantedDisk> {
    try {
      await this.#remove(disk.vdev)
      return { ...disk, outcome: 'removed' }
    } catch (error) {
      if (error instanceof LibxlError && error.reason === 'device-missing') return { ...disk, outcome: 'removed' }
      return { ...disk, outcome: 'failed', error: error instanceof Error ? error : new Error(String(error)) }
    }
  }
}

type DistributiveOmit<Type, Key extends PropertyKey> = Type extends unknown ? Omit<Type, Key> : never

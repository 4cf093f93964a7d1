import { CommitUnknownError } from '../../xenstore/commit-unknown-error.js'
import type { Xenstore } from '../../xenstore/xenstore.js'
import { checkDisks } from '../check-disk.js'
import type { DeviceDisk } from '../device-disk.js'
import { refuseSharedDevices } from '../refuse-shared-devices.js'
import type { ResolvedDisk } from '../resolved-disk.js'
import type { DomainConfig } from '../userdata/domain-config.js'
import { lockDomain } from '../userdata/lock-domain.js'
import { abortable } from './abortable.js'
import type { AddDiskOptions } from './add-disk-options.js'
import { AttachError } from './attach-error.js'
import { checkAddCall } from './check-call.js'
import { connectBackend } from './connect-backend.js'
import { connectLimits } from './connect-limits.js'
import { DeviceClaim } from './device-claim.js'
import type { DiskDevice } from './disk-device.js'
import type { DiskHost } from './disk-host.js'
import { domainsByName } from './domains-by-name.js'
import { type Guest, guestOf } from './guest-of.js'
import { nodeHost } from './node-host.js'
import { type PreparedDisk, prepareDisk } from './prepare-disk.js'
import { type RollBack, rollBack, type WrittenDisk } from './roll-back.js'
import { type Failure, settle } from './settle.js'
import { timeLimits } from './time-limits.js'
import { writeDevice } from './write-device.js'

/** A disk that was attached. */
export interface AttachedDisk {
  /** The record with libxl's defaults and choices. */
  disk: ResolvedDisk
  /** Where its nodes are. */
  device: DiskDevice
  /** How often its transaction was tried. */
  attempts: number
}

/**
 * Attaches several disks to a guest, all or none: see `addDisk`. They are examined together, written by transactions that
 * follow each other without a pause, and waited for together. When one fails, those written are rolled back (not with
 * `libxlExact`): ours alone, a device that another process attached there meanwhile is left alone. The error lists those that failed.
 *
 * @throws AttachError, a LibxlError, with `failures` and `rollback`; LibxlError ERROR_DEVICE_EXISTS, before anything is written,
 * where two of them are one device; else as `addDisk`
 */
export const addDisks = async (
  store: Xenstore,
  disks: readonly DeviceDisk[],
  options: AddDiskOptions,
): Promise<AttachedDisk[]> => new Batch(store, disks, options).add()

/** A disk about which nothing is missed from now on. */
type ClaimedDisk = PreparedDisk & { index: number; claim: DeviceClaim }
type ConnectingDisk = ClaimedDisk & { attempts: number }

class Batch {
  readonly #store: Xenstore
  readonly #disks: readonly DeviceDisk[]
  readonly #options: AddDiskOptions
  readonly #host: DiskHost
  readonly #libxlExact: boolean
  readonly #lockTimeout: number

  constructor(store: Xenstore, disks: readonly DeviceDisk[], options: AddDiskOptions) {
    checkAddCall(store, options)
    checkDisks(disks)
    const { host = nodeHost(), libxlExact = false } = options
    connectLimits(options.timeouts)
    this.#lockTimeout = timeLimits<'lock'>({ lock: 60_000 }, options.timeouts).lock
    this.#store = store
    this.#disks = disks
    this.#options = options
    this.#host = host
    this.#libxlExact = libxlExact
  }

  async add(): Promise<AttachedDisk[]> {
    const { signal, wait = true } = this.#options
    const { guest, domidOf } = await abortable(signal, this.#what, () => this.#askForFacts())
    const disks = await this.#prepareAll(guest, domidOf)
    const claimed = disks.map((disk, index) => ({
      ...disk,
      index,
      claim: new DeviceClaim(this.#store, disk.device.paths),
    }))
    try {
      const written = await this.#writeLocked(claimed, guest)
      if (wait) await this.#connectAll(written)
      return written.map(({ disk, device, attempts }) => ({ disk, device, attempts }))
    } finally {
      for (const { claim } of claimed) claim[Symbol.dispose]()
    }
  }

  get #what(): string {
    return `attaching ${this.#disks.length === 1 ? 'a disk' : 'disks'} to domain ${this.#options.domid}`
  }

  async #askForFacts() {
    const { domid, domainType, signal } = this.#options
    const isNamed = ({ backendDomname }: DeviceDisk) => backendDomname !== undefined && !/^[0-9]*$/.test(backendDomname)
    const [guest, byName] = await Promise.all([
      guestOf(this.#store, domid, { domainType, signal }),
      this.#disks.some(isNamed) ? domainsByName(this.#store, { signal }) : undefined,
    ])
    return { guest, domidOf: (name: string) => byName?.get(name) }
  }

  async #prepareAll(guest: Guest, domidOf: (name: string) => number | undefined): Promise<PreparedDisk[]> {
    const { domid, wait = true } = this.#options
    const context = { domid, guest, host: this.#host, domidOf, libxlExact: this.#libxlExact, wait }
    const { values, failures } = await settle(this.#disks, disk => prepareDisk(disk, context))
    if (failures.length > 0) throw this.#error(failures, { outcome: 'nothing-written', left: [] })
    refuseSharedDevices(values.map(({ disk }) => disk))
    return values
  }

  /** As libxl does, the lock is released before the backend is waited for. */
  async #writeLocked(disks: readonly ClaimedDisk[], guest: Guest): Promise<ConnectingDisk[]> {
    const { domid, signal } = this.#options
    const { lockUserdata } = this.#host
    const options = { domid, lockUserdata, timeout: this.#lockTimeout, signal, libxlExact: this.#libxlExact }
    await using locked = await abortable(signal, this.#what, () => lockDomain(this.#store, options))
    return await this.#writeAll(disks, guest, locked.config)
  }

  async #writeAll(
    disks: readonly ClaimedDisk[],
    { domainType }: Guest,
    config: DomainConfig | undefined,
  ): Promise<ConnectingDisk[]> {
    const { signal } = this.#options
    const common = { domainType, libxlExact: this.#libxlExact, signal }
    const { values, failures } = await settle(disks, async disk => {
      const beforeCommit = () => config?.put(this.#disks[disk.index]!)
      return { ...disk, attempts: await writeDevice(this.#store, disk, { ...common, claim: disk.claim, beforeCommit }) }
    })
    if (failures.length === 0) return values
    const unknown = failures
      .filter(({ error }) => error instanceof CommitUnknownError)
      .map(({ index }) => disks[index]!)
    return this.#fail(
      failures,
      [...values, ...unknown].map(disk => ({ ...disk, connected: false })),
    )
  }

  async #connectAll(disks: readonly ConnectingDisk[]): Promise<void> {
    const { signal, timeouts } = this.#options
    const options = { host: this.#host, libxlExact: this.#libxlExact, signal, timeouts }
    const { failures } = await settle(disks, ({ device, claim }) =>
      connectBackend(this.#store, device, this.#libxlExact ? options : { ...options, claim }),
    )
    if (failures.length === 0) return
    const failed = new Set(failures.map(({ index }) => index))
    await this.#fail(
      failures,
      disks.map((disk, index) => ({ ...disk, connected: !failed.has(index) })),
    )
  }

  async #fail(failures: readonly Failure[], written: readonly WrittenDisk[]): Promise<never> {
    const kept = this.#libxlExact && written.length > 0
    throw this.#error(failures, kept ? { outcome: 'kept', left: [] } : await rollBack(this.#store, written, this.#host))
  }

  #error(failures: readonly Failure[], rollback: RollBack): AttachError {
    const { signal } = this.#options
    return new AttachError({
      count: this.#disks.length,
      failures: failures.map(({ index, error }) => ({ index, vdev: this.#disks[index]!.vdev, error: asError(error) })),
      rollback,
      aborted: signal?.aborted ? { what: this.#what, cause: signal.reason } : undefined,
    })
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

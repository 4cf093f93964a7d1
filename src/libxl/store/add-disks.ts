import type { Xenstore } from '../../xenstore/xenstore.js'
import { checkDisk } from '../check-disk.js'
import { checkDomainType, checkDomid } from '../check-guest.js'
import type { DeviceDisk } from '../device-disk.js'
import { refuseSharedDevices } from '../refuse-shared-devices.js'
import type { DomainType, ResolvedDisk } from '../resolved-disk.js'
import type { DomainConfig } from '../userdata/domain-config.js'
import { lockDomain } from '../userdata/lock-domain.js'
import { abortable } from './abortable.js'
import { type ConnectTimeouts, connectBackend, connectLimits } from './connect-backend.js'
import type { DiskDevice } from './disk-device.js'
import type { DiskHost } from './disk-host.js'
import { domainsByName } from './domains-by-name.js'
import { type Aftermath, type Failure, failureOf, givenUp } from './failure-of.js'
import { type Guest, guestOf } from './guest-of.js'
import { nodeHost } from './node-host.js'
import { type PreparedDisk, prepareDisk } from './prepare-disk.js'
import { settle } from './settle.js'
import { takeAway, type WrittenDisk } from './take-away.js'
import { timeLimits } from './time-limits.js'
import { CommitUnknown, writeDevice } from './write-device.js'

/** How long things may take, in milliseconds. */
export interface AttachTimeouts extends ConnectTimeouts {
  /** libxl's lock of the domain, which another toolstack may hold: 60 s by default. libxl waits without a limit. */
  lock: number
}

export interface AddDiskOptions {
  /** The guest's domain. */
  domid: number
  /** How the guest is virtualised; by default what the store says (/libxl/DOMID/type). */
  domainType?: DomainType | undefined
  /** What the disk's target and script are to be found on; by default this machine, as domain 0. */
  host?: DiskHost | undefined
  /** Wait until the backend has taken the disk up, running its hotplug script; yes by default. */
  wait?: boolean | undefined
  /** How long to wait for what. */
  timeouts?: Partial<Record<keyof AttachTimeouts, number | undefined>> | undefined
  /** Do as libxl does where this library knows better: see docs/departures.md. */
  libxlExact?: boolean | undefined
  /** Gives it up; what was written by then is taken away again. */
  signal?: AbortSignal | undefined
}

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
 * follow each other without a pause, and waited for together. When one fails, those written are taken away again (not with
 * `libxlExact`), and the error says which disk it was, and whether others failed too.
 *
 * @throws LibxlError ERROR_DEVICE_EXISTS, before anything is written, where two of them are one device; else as `addDisk`
 */
export const addDisks = async (
  store: Xenstore,
  disks: readonly DeviceDisk[],
  options: AddDiskOptions,
): Promise<AttachedDisk[]> => new Batch(store, disks, options).add()

class Batch {
  readonly #store: Xenstore
  readonly #disks: readonly DeviceDisk[]
  readonly #options: AddDiskOptions
  readonly #host: DiskHost
  readonly #libxlExact: boolean
  readonly #lockTimeout: number

  constructor(store: Xenstore, disks: readonly DeviceDisk[], options: AddDiskOptions) {
    const { domid, domainType, host = nodeHost(), libxlExact = false } = options
    checkDomid(domid)
    for (const disk of disks) checkDisk(disk)
    if (domainType !== undefined) checkDomainType(domainType)
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
    const written = await this.#writeLocked(disks, guest)
    if (wait) await this.#connectAll(written)
    return written
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
    if (failures.length > 0) throw failureOf(failures, this.#disks, { kind: 'nothing written' })
    refuseSharedDevices(values.map(({ disk }) => disk))
    return values
  }

  /** As libxl does, the lock is released before the backend is waited for. */
  async #writeLocked(disks: readonly PreparedDisk[], guest: Guest): Promise<AttachedDisk[]> {
    const { domid, signal } = this.#options
    const { lockUserdata } = this.#host
    const options = { domid, lockUserdata, timeout: this.#lockTimeout, signal, libxlExact: this.#libxlExact }
    await using locked = await abortable(signal, this.#what, () => lockDomain(this.#store, options))
    return await this.#writeAll(disks, guest, locked.config)
  }

  async #writeAll(
    disks: readonly PreparedDisk[],
    { domainType }: Guest,
    config: DomainConfig | undefined,
  ): Promise<AttachedDisk[]> {
    const { signal } = this.#options
    const common = { domainType, libxlExact: this.#libxlExact, signal }
    const { values, failures } = await settle(disks, async disk => {
      const given = this.#disks[disks.indexOf(disk)]!
      const options = { ...common, beforeCommit: () => config?.put(given) }
      const attempts = await writeDevice(this.#store, disk, options)
      return { ...disk, attempts }
    })
    if (failures.length === 0) return values
    const unknown = failures.filter(({ error }) => error instanceof CommitUnknown).map(({ index }) => disks[index]!)
    return this.#fail(
      failures,
      [...values, ...unknown].map(disk => ({ ...disk, connected: false })),
    )
  }

  async #connectAll(disks: readonly AttachedDisk[]): Promise<void> {
    const { signal, timeouts } = this.#options
    const options = { host: this.#host, libxlExact: this.#libxlExact, signal, timeouts }
    const { failures } = await settle(disks, ({ device }) => connectBackend(this.#store, device, options))
    if (failures.length === 0) return
    const failed = new Set(failures.map(({ index }) => index))
    await this.#fail(
      failures,
      disks.map((disk, index) => ({ ...disk, connected: !failed.has(index) })),
    )
  }

  async #fail(failures: readonly Failure[], written: readonly WrittenDisk[]): Promise<never> {
    const aftermath = await this.#undo(written)
    const { signal } = this.#options
    throw signal?.aborted ? givenUp(this.#what, signal, aftermath) : failureOf(failures, this.#disks, aftermath)
  }

  async #undo(written: readonly WrittenDisk[]): Promise<Aftermath> {
    if (written.length === 0) return { kind: 'nothing written' }
    return this.#libxlExact ? { kind: 'kept' } : takeAway(this.#store, written, this.#host)
  }
}

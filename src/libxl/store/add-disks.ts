import type { Xenstore } from '../../xenstore/xenstore.js'
import { checkDomainType, checkDomid } from '../check-guest.js'
import type { DeviceDisk } from '../device-disk.js'
import { refuseSharedDevices } from '../refuse-shared-devices.js'
import type { DomainType, ResolvedDisk } from '../resolved-disk.js'
import { connectBackend } from './connect-backend.js'
import type { DiskDevice } from './disk-device.js'
import type { DiskHost } from './disk-host.js'
import { domainsByName } from './domains-by-name.js'
import { type Failure, failureOf } from './failure-of.js'
import { guestOf } from './guest-of.js'
import { nodeHost } from './node-host.js'
import { type PreparedDisk, prepareDisk } from './prepare-disk.js'
import { takeAway } from './take-away.js'
import { CommitUnknown, writeDevice } from './write-device.js'

export interface AddDiskOptions {
  /** The guest's domain. */
  domid: number
  /** How the guest is virtualised; by default what the store says (/libxl/DOMID/type). */
  domainType?: DomainType | undefined
  /** What the disk's target and script are to be found on; by default this machine, as domain 0. */
  host?: DiskHost | undefined
  /** Wait until the backend has taken the disk up, running its hotplug script; yes by default. */
  wait?: boolean | undefined
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
export async function addDisks(
  store: Xenstore,
  disks: readonly DeviceDisk[],
  options: AddDiskOptions,
): Promise<AttachedDisk[]> {
  const { domid, domainType, host = nodeHost(), wait = true, libxlExact = false, signal } = options
  checkDomid(domid)
  if (domainType !== undefined) checkDomainType(domainType)
  const fail = async (failures: readonly Failure[], written: readonly PreparedDisk[] = []): Promise<never> => {
    const left = libxlExact ? [] : await takeAway(store, written)
    throw failureOf(failures, disks, { undone: !libxlExact && written.length > 0, left })
  }

  const isNamed = disks.some(({ backendDomname }) => backendDomname !== undefined && !/^[0-9]*$/.test(backendDomname))
  const [guest, byName] = await Promise.all([
    guestOf(store, domid, { domainType, signal }),
    isNamed ? domainsByName(store, { signal }) : undefined,
  ])
  const context = { domid, guest, host, domidOf: (name: string) => byName?.get(name), libxlExact }
  const prepared = await settle(disks, disk => prepareDisk(disk, context))
  if (prepared.failures.length > 0) return fail(prepared.failures)
  refuseSharedDevices(prepared.values.map(({ disk }) => disk))

  const written = await settle(prepared.values, async disk => {
    const attempts = await writeDevice(store, disk, { domainType: guest.domainType, libxlExact, signal })
    return { ...disk, attempts }
  })
  if (written.failures.length > 0) {
    const unknown = written.failures.filter(({ error }) => error instanceof CommitUnknown)
    return fail(written.failures, [...written.values, ...unknown.map(({ index }) => prepared.values[index]!)])
  }
  if (!wait) return written.values

  const connected = await settle(written.values, ({ device }) => connectBackend(store, device, { host, signal }))
  return connected.failures.length > 0 ? fail(connected.failures, written.values) : written.values
}

/** Waits for all, whether they succeed or not. */
async function settle<From, To>(
  items: readonly From[],
  work: (item: From) => Promise<To>,
): Promise<{ values: To[]; failures: Failure[] }> {
  const results = await Promise.allSettled(items.map(work))
  const values: To[] = []
  const failures: Failure[] = []
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled') values.push(result.value)
    else failures.push({ index, error: result.reason })
  }
  return { values, failures }
}

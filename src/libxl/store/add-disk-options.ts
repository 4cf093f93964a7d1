import type { DomainType } from '../resolved-disk.js'
import type { ConnectTimeouts } from './connect-limits.js'
import type { DiskHost } from './disk-host.js'

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
  /** Aborts; what was written by then is rolled back. A commit already in progress is awaited first. */
  signal?: AbortSignal | undefined
}

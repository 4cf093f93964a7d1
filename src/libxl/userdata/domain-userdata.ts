import type { LockOptions } from './flock.js'

/** Which domain: its number may have been another one's before. */
export interface DomainIdentity {
  domid: number
  /** In lower case, with dashes. */
  uuid: string
}

/** What libxl keeps of a domain in files, while its lock is held. */
export interface LockedUserdata {
  /** The domain's configuration as libxl wrote it (`libxl_domain_config_to_json`); undefined where there is none. */
  readConfig(): Promise<string | undefined>
  /** Puts another text in its place, at once. */
  writeConfig(text: string): Promise<void>
  release(): Promise<void>
}

/**
 * Takes libxl's lock of a domain.
 *
 * @returns undefined where this machine has no libxl
 * @throws LibxlError ERROR_TIMEDOUT, ERROR_LOCK_FAIL
 */
export type LockUserdata = (domain: DomainIdentity, options: LockOptions) => Promise<LockedUserdata | undefined>

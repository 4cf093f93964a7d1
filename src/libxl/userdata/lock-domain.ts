import type { Xenstore } from '../../xenstore/xenstore.js'
import { LibxlError } from '../libxl-error.js'
import { DomainConfig } from './domain-config.js'
import type { LockedUserdata, LockUserdata } from './domain-userdata.js'
import { domainUuid } from './domain-uuid.js'

export interface LockDomainOptions {
  domid: number
  /** What takes the lock; without it nothing is locked. */
  lockUserdata?: LockUserdata | undefined
  /** How long to wait for the lock, in milliseconds. */
  timeout: number
  signal?: AbortSignal | undefined
  /** Refuse a domain without a configuration, as libxl does. */
  libxlExact: boolean
}

/** A domain to which no libxl adds a device until this is disposed of. */
export interface LockedDomain extends AsyncDisposable {
  /** undefined where libxl has no file of this domain. */
  readonly config: DomainConfig | undefined
}

const unlocked: LockedDomain = { config: undefined, [Symbol.asyncDispose]: async () => {} }

/**
 * Takes libxl's lock of a domain and reads the domain's configuration. On a host without libxl, and for a domain that libxl
 * did not make, nothing is locked and there is no configuration.
 *
 * @throws LibxlError ERROR_TIMEDOUT; ERROR_LOCK_FAIL, also where the domain goes away meanwhile; ERROR_JSON_CONFIG_EMPTY with
 * `libxlExact`; ERROR_FAIL where the configuration cannot be read
 */
export async function lockDomain(
  store: Xenstore,
  { domid, lockUserdata, timeout, signal, libxlExact }: LockDomainOptions,
): Promise<LockedDomain> {
  const uuid = lockUserdata && (await domainUuid(store, domid, { signal }))
  if (lockUserdata === undefined || uuid === undefined) return unlocked
  const locked = await lockUserdata({ domid, uuid }, { timeout, signal })
  if (locked === undefined) return unlocked
  try {
    if ((await domainUuid(store, domid, { signal })) !== uuid) {
      throw new LibxlError('lock-failed', `domain ${domid} (${uuid}) went away before its lock was taken`)
    }
    const config = await configOf(locked, domid, libxlExact)
    return { config, [Symbol.asyncDispose]: () => locked.release() }
  } catch (error) {
    await locked.release()
    throw error
  }
}

async function configOf(locked: LockedUserdata, domid: number, libxlExact: boolean): Promise<DomainConfig | undefined> {
  const text = await locked.readConfig()
  if (text !== undefined) return new DomainConfig(text, changed => locked.writeConfig(changed))
  if (libxlExact) throw new LibxlError('configuration-missing', `libxl has no configuration of domain ${domid}`)
  return undefined
}

import { checkFlag, checkFunction, checkObject, checkSignal, checkText, wrongType } from '../../check-argument.js'
import { checkDomainType, checkDomid } from '../check-guest.js'
import type { AddDiskOptions } from './add-disk-options.js'
import type { DiskHost } from './disk-host.js'
import type { RemoveDiskOptions } from './remove-disk-options.js'

/** For callers without types: what the functions for a domain's disks have in common. */
export function checkDomainCall(store: unknown, domid: unknown, options: unknown): void {
  checkStore(store)
  checkDomid(domid)
  checkObject('options', options)
  const { signal, libxlExact } = options as { signal?: unknown; libxlExact?: unknown }
  checkSignal(signal)
  checkFlag('libxlExact', libxlExact)
}

/** The options of `addDisk` and `addDisks`; the disks are checked apart. */
export function checkAddCall(store: unknown, options: AddDiskOptions): void {
  checkStore(store)
  checkObject('options', options, 'an object with domid at least')
  checkDomainCall(store, options.domid, options)
  if (options.domainType !== undefined) checkDomainType(options.domainType)
  checkFlag('wait', options.wait)
  checkTimeouts(options.timeouts)
  checkHost(options.host, ['examine', 'createEmptyCdrom', 'runScript'])
}

/** The options of `ensureDisks`; the disks are checked apart. */
export function checkEnsureCall(
  store: unknown,
  options: AddDiskOptions & { removeUnwanted?: unknown; replaceDifferent?: unknown; removal?: unknown },
): void {
  checkAddCall(store, options)
  checkFlag('removeUnwanted', options.removeUnwanted)
  checkFlag('replaceDifferent', options.replaceDifferent)
  if (options.removal !== undefined) checkRemoval(options.removal)
}

export function checkRemoveCall(store: unknown, domid: unknown, vdev: unknown, options: RemoveDiskOptions): void {
  checkDomainCall(store, domid, options)
  checkText('vdev', vdev)
  checkRemoval(options)
  checkHost(options.host, ['runScript'])
}

function checkRemoval(removal: unknown): void {
  checkObject('removal', removal)
  const { force, paused, timeouts } = removal as Pick<RemoveDiskOptions, 'force' | 'paused' | 'timeouts'>
  if (force !== undefined && typeof force !== 'boolean' && force !== 'auto')
    throw wrongType('force', "true, false or 'auto'", force)
  checkFlag('paused', paused)
  checkTimeouts(timeouts)
}

function checkStore(store: unknown): void {
  if (typeof (store as { transaction?: unknown } | null | undefined)?.transaction !== 'function')
    throw wrongType('store', 'a client of xenstore, as connect or memoryStore give one', store)
}

function checkTimeouts(timeouts: unknown): void {
  if (timeouts !== undefined) checkObject('timeouts', timeouts)
}

function checkHost(host: Partial<DiskHost> | undefined, needed: readonly (keyof DiskHost)[]): void {
  if (host === undefined) return
  checkObject('host', host, 'a host, as nodeHost makes one')
  checkDomid(host.domid, 'host.domid')
  for (const name of needed) checkFunction(`host.${name}`, host[name])
}

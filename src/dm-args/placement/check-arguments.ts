import { checkFlag, checkObject, wrongType } from '../../check-argument.js'
import { checkDomainType, checkDomid, checkHdtype } from '../../libxl/check-guest.js'
import { checkResolvedDisks } from '../../libxl/check-resolved-disk.js'
import { refuseSharedDevices } from '../../libxl/refuse-shared-devices.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { DeviceModelOptions } from '../disk-args-options.js'

/** For callers without types; and libxl never comes to arguments where it refuses two disks with one device number. */
export function checkArguments(disks: readonly ResolvedDisk[], options: DeviceModelOptions): void {
  checkResolvedDisks(disks)
  checkObject('options', options, 'an object with domainType at least')
  const { domid, domainType, hdtype, coloRestore, stubdom, physicalDevicePath: path } = options
  if (domid !== undefined) checkDomid(domid)
  checkDomainType(domainType)
  checkHdtype(hdtype)
  checkFlag('coloRestore', coloRestore)
  checkFlag('stubdom', stubdom)
  if (path !== undefined && typeof path !== 'string' && typeof path !== 'function')
    throw wrongType('physicalDevicePath', 'a path or a function that gives one', path)
  refuseSharedDevices(disks)
}

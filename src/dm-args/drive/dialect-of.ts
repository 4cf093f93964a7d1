import { checkFlag } from '../../check-argument.js'
import { checkDialect } from '../dialect.js'
import type { DiskArgsOptions } from '../disk-args-options.js'
import type { DriveDialect } from './drive.js'
import { saferXen47, xen47 } from './xen-4.7.js'
import { xen417 } from './xen-4.17.js'

/** @throws TypeError for an unknown release */
export function dialectOf({ dialect, libxlExact }: DiskArgsOptions): DriveDialect {
  checkDialect(dialect)
  checkFlag('libxlExact', libxlExact)
  if (dialect !== '4.7') return xen417
  return libxlExact ? xen47 : saferXen47
}

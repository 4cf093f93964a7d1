import { LibxlError, type ResolvedDisk } from 'xenlight'
import { buildBlockdevArgs, buildDiskArgs, type DiskArgsOptions } from 'xenlight/dm-args'
import { type Domain, named } from './domain.js'

/** What makes QEMU's arguments of disks. */
export interface Form {
  name: string
  build(disks: readonly ResolvedDisk[], options: DiskArgsOptions): { args: string[] }
  /** Whether it takes a text that an argument can hold. */
  takes(text: string): boolean
  /** Whether it takes an id that QEMU takes. */
  takesId(id: string): boolean
}

export const drive: Form = { name: '-drive', build: buildDiskArgs, takes: () => true, takesId: () => true }

export const blockdev: Form = {
  name: '-blockdev',
  build: buildBlockdevArgs,
  takes: text => text !== '' && !/\p{Noncharacter_Code_Point}/u.test(text),
  takesId: id => id.length <= 31,
}

/** libxl's own strings. */
export const exact: Form = {
  ...drive,
  build: (disks, options) => buildDiskArgs(disks, { ...options, libxlExact: true }),
}

/** Whether it is refused with a reason. @throws any other error */
export function isRefused(form: Form, domain: Domain, texts: readonly string[], exports?: readonly string[]): boolean {
  const { disks, options } = named(domain, texts, exports)
  try {
    form.build(disks, options)
    return false
  } catch (error) {
    if (error instanceof LibxlError) return true
    throw error
  }
}

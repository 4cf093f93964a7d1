import type { DeviceDisk } from '../libxl/device-disk.js'
import type { RefusalCode } from './diagnostic-code.js'

export type { RefusalCode } from './diagnostic-code.js'

/** The field of a record that a parameter gives. */
export type DiskField = keyof DeviceDisk

/** Where a field was given: which word of the spec, and where its value stands in it. */
export interface Origin {
  word: number
  start: number
  end: number
  /** The parameter's own start, which for a named one is its key. */
  at: number
}

/** One complaint of libxlutil about a spec. */
export interface Refusal extends Origin {
  code: RefusalCode
  /** libxlutil's words. */
  message: string
  /** The text that libxlutil shows as "near", where it shows one. */
  near: string | undefined
  field: DiskField | undefined
}

import type { DeviceDisk } from '../../libxl/device-disk.js'
import type { Span } from '../diagnostic.js'
import type { DiskSpecErrorCode } from '../diagnostic-code.js'
import type { LintContext } from './lint-context.js'

/** What a rule has to say: a diagnostic without its severity, which is the caller's to choose. */
export interface Finding {
  code: DiskSpecErrorCode
  /** The field that it is about, where it is one field. */
  field?: keyof DeviceDisk
  message: string
  at: Span
  hint?: string
  notes?: { message: string; at: Span }[]
}

/** Looks at one accepted disk; nearly always finds nothing, and then costs next to nothing. */
export type LintRule = (context: LintContext) => Iterable<Finding>

export const nothing: readonly Finding[] = []

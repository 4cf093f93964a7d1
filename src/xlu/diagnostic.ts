import type { DeviceDisk } from '../libxl/device-disk.js'
import type { LibxlReason } from '../libxl/libxl-reason.js'
import type { DiagnosticCode } from './diagnostic-code.js'

/** A place in a text: offsets as JavaScript counts, `end` exclusive. */
export interface Span {
  /** The text that the offsets count in: one word of a spec, or a whole configuration file. */
  spec: string
  start: number
  end: number
}

/** A remark at a second place, such as where a value was first given. */
export interface Note extends Span {
  message: string
}

/** Something to tell about a text. */
export interface Diagnostic extends Span {
  severity: 'error' | 'warning'
  /** Stable name of the kind, listed in docs/diagnostics.md. */
  code: DiagnosticCode
  /** Why libxl refuses the disk, where `code` is libxl's. */
  reason?: LibxlReason
  /** The field of the record that this is about, where it is one field. */
  field?: keyof DeviceDisk
  message: string
  notes: Note[]
  /** What to write instead. */
  hint?: string
}

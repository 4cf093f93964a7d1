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
  code: string
  message: string
  notes: Note[]
  /** What to write instead. */
  hint?: string
}

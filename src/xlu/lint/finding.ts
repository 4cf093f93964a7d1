import type { Span } from '../diagnostic.js'
import type { LintContext } from './lint-context.js'

/** What a rule has to say: a diagnostic without its severity, which is the caller's to choose. */
export interface Finding {
  code: string
  message: string
  at: Span
  hint?: string
  notes?: { message: string; at: Span }[]
}

/** Looks at one accepted disk; nearly always finds nothing, and then costs next to nothing. */
export type LintRule = (context: LintContext) => Iterable<Finding>

export const nothing: readonly Finding[] = []

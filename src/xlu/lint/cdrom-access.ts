import type { Parameter } from '../disk-grammar.js'
import { type LintRule, nothing } from './finding.js'

/** `access=w` on a cdrom, which libxlutil turns into read-only without a word. */
export const cdromAccess: LintRule = context => {
  if (!context.disk.isCdrom) return nothing
  // where it was given is only worked out when it can be wrong
  if (!context.parameters.some(asksToWrite)) return nothing
  if (!context.isGiven('readwrite')) return nothing
  const at = context.valueSpan('readwrite')
  const access = at.spec.slice(at.start, at.end)
  if (!writing(access)) return nothing
  return [
    { code: 'cdrom-access', message: 'a cdrom is always read-only', at, hint: 'write access=ro, or leave it out' },
  ]
}

const asksToWrite = (parameters: readonly Parameter[]): boolean =>
  parameters.some(({ key, value }) => (key === 'positional' || key === 'access') && writing(value))

const writing = (access: string): boolean => access === 'w' || access === 'rw'

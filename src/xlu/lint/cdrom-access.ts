import { type LintRule, nothing } from './finding.js'

/** `access=w` on a cdrom, which libxlutil turns into read-only without a word. */
export const cdromAccess: LintRule = context => {
  if (!context.disk.isCdrom) return nothing
  const { access } = context.reader
  if (access !== 'w' && access !== 'rw') return nothing
  const at = context.valueSpan('readwrite')
  return [
    {
      code: 'cdrom-access',
      field: 'readwrite',
      message: 'a cdrom is always read-only',
      at,
      hint: 'write access=ro, or leave it out',
    },
  ]
}

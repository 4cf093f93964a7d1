import { canonicalSpec } from '../format-disk.js'
import { type Finding, type LintRule, nothing } from './finding.js'

/** `raw:`, `tap:qcow2:` and their like, which xl keeps for xend's sake only. */
export const deprecatedPrefix: LintRule = context => {
  const found = context.find('prefixes')
  if (found.length === 0) return nothing
  const hint = `write ${canonicalSpec(context.disk)}`
  return found.flatMap(({ parameter: { key, value, at }, word }): Finding[] => {
    if (key !== 'prefixes') return []
    const last = value.at(-1)!
    const names = value.map(prefix => `${prefix.key}:`).join('')
    const place = context.span(word, at, last.at + last.key.length + 1)
    return [{ code: 'deprecated-prefix', message: `the prefix ${names} is deprecated`, at: place, hint }]
  })
}

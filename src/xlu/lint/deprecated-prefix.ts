import { canonicalSpec } from '../format-disk.js'
import { type Finding, type LintRule, nothing } from './finding.js'

/** `raw:`, `tap:qcow2:` and their like, which xl keeps for xend's sake only. */
export const deprecatedPrefix: LintRule = context => {
  const found = context.find('prefixes')
  if (found.length === 0) return nothing
  const hint = `write ${canonicalSpec(context.disk)}`
  const findings: Finding[] = []
  for (const { parameter, word } of found) {
    if (parameter.key !== 'prefixes') continue
    let names = ''
    let end = parameter.at
    for (const { key, at } of parameter.value) {
      names += `${key}:`
      end = at + key.length + 1
    }
    const at = context.span(word, parameter.at, end)
    findings.push({ code: 'deprecated-prefix', message: `the prefix ${names} is deprecated`, at, hint })
  }
  return findings
}

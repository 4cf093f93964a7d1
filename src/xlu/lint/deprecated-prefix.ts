import type { PrefixParameter } from '../disk-grammar.js'
import { canonicalSpec } from '../format-disk.js'
import { type Finding, type LintRule, nothing } from './finding.js'
import type { LintContext } from './lint-context.js'

/** `raw:`, `tap:qcow2:` and their like, which xl keeps for xend's sake only. */
export const deprecatedPrefix: LintRule = context => {
  const { prefixes } = context.reader
  return prefixes === undefined ? nothing : prefixes.map(({ parameter, word }) => finding(context, word, parameter))
}

function finding(context: LintContext, word: number, { value, at: start }: PrefixParameter): Finding {
  let names = ''
  let end = start
  for (const { key, at } of value) {
    names += `${key}:`
    end = at + key.length + 1
  }
  return {
    code: 'deprecated-prefix',
    message: `the prefix ${names} is deprecated`,
    at: context.span(word, start, end),
    hint: `write ${canonicalSpec(context.disk)}`,
  }
}

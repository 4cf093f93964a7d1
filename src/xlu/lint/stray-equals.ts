import { keyBefore } from '../key-before.js'
import { type Finding, type LintRule, nothing } from './finding.js'
import type { LintContext } from './lint-context.js'

/** A "=" at the very end, which libxlutil's scanner drops, and with it the sense of what is before. */
export const strayEquals: LintRule = context => {
  if (!context.reader.hadStrayEquals) return nothing
  return context.find('stray-equals').map(({ parameter, word }) => finding(context, word, parameter.at))
}

function finding(context: LintContext, word: number, equals: number): Finding {
  const before = keyBefore(context.parameters[word]!, equals)
  const key = before ? context.words[word]!.slice(before.at, equals) : ''
  return {
    code: 'stray-equals',
    message: key === '' ? 'a "=" without a key' : `"${key}=" has no value, so "${key}" is read as if it stood alone`,
    at: context.span(word, equals - key.length, equals + 1),
    hint: key === '' ? 'remove it' : `give ${key} a value, or remove it`,
  }
}

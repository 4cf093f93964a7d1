import { keyBefore } from '../key-before.js'
import { type LintRule, nothing } from './finding.js'

/** A "=" at the very end, which libxlutil's scanner drops, and with it the sense of what is before. */
export const strayEquals: LintRule = context =>
  context.words.some(word => word.endsWith('=')) ? findings(context) : nothing

function* findings(context: Parameters<LintRule>[0]) {
  for (const { parameter, word } of context.find('stray-equals')) {
    const text = context.words[word]!
    const before = keyBefore(context.parameters[word]!, parameter.at)
    const key = before ? text.slice(before.at, parameter.at) : ''
    yield {
      code: 'stray-equals',
      message: key === '' ? 'a "=" without a key' : `"${key}=" has no value, so "${key}" is read as if it stood alone`,
      at: context.span(word, parameter.at - key.length, parameter.at + 1),
      hint: key === '' ? 'remove it' : `give ${key} a value, or remove it`,
    }
  }
}

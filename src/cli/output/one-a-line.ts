import type { Diagnostic, Span } from '../../xlu/diagnostic.js'
import { remark } from '../refusal.js'

/** Texts, each on a line of its own. One that holds a line feed would be read as two, so it is an error. */
export function oneALine(
  texts: readonly string[],
  at: Span,
  diagnostics: Diagnostic[],
  hint: string,
): Iterable<string> {
  const broken = texts.find(text => text.includes('\n'))
  if (broken !== undefined) {
    const message = `this output has one a line, and ${JSON.stringify(broken)} holds a line feed`
    diagnostics.push(remark('error', 'line-feed', message, at, hint))
    return []
  }
  return ended(texts, '\n')
}

/** Texts, each with its end. */
export function* ended(texts: readonly string[], end: string): Iterable<string> {
  for (const text of texts) yield `${text}${end}`
}

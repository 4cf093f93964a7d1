import type { Diagnostic, Span } from '../../xlu/diagnostic.js'
import { remark } from '../refusal.js'

/** Texts, each ended by a character. One that holds it would be read as two, so it is an error. */
export function endEach(
  texts: readonly string[],
  end: '\n' | '\0',
  at: Span,
  diagnostics: Diagnostic[],
  hint: string,
): Iterable<string> {
  const broken = texts.find(text => text.includes(end))
  if (broken !== undefined) {
    const [code, name] = end === '\n' ? ['line-feed', 'a line feed'] : ['nul', 'a NUL character']
    const message = `this output has one a ${end === '\n' ? 'line' : 'piece'}, and ${JSON.stringify(broken)} holds ${name}`
    diagnostics.push(remark('error', code!, message, at, hint))
    return []
  }
  return ended(texts, end)
}

function* ended(texts: readonly string[], end: string): Iterable<string> {
  for (const text of texts) yield `${text}${end}`
}

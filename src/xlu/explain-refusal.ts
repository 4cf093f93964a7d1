import { fromByteString, isAscii, toByteString } from '../byte-text.js'
import type { Diagnostic } from './diagnostic.js'
import type { Parameter } from './disk-grammar.js'
import { DiskReader } from './disk-reader.js'
import { parametersOf } from './parameters-of.js'
import type { Refusal } from './refusal.js'
import { hintFor } from './refusal-hint.js'

/** libxlutil shows the whole spec with each error: of a spec that is long and wrong throughout, gigabytes. */
const longestMessage = 64 * 1024 * 1024
/** As many diagnostics as lines of libxlutil up to this length: each needs a look through its spec. */
const longestDiagnosed = 16 * 1024 * 1024

interface Explanation {
  diagnostics: Diagnostic[]
  libxlMessage: string
}

/**
 * Reads a refused spec once more, slowly: byte by byte as libxlutil does, as it may cut a character in two where it
 * shows what is wrong, and with a note of where each value was given.
 */
export function explainRefusal(words: readonly string[], source: string): Explanation {
  const nul = words.findIndex(word => word.includes('\0'))
  if (nul >= 0) return { diagnostics: [nulByte(words[nul]!)], libxlMessage: '' }

  const texts = words.map(word => toByteString(word))
  const reader = new DiskReader(true)
  for (const [word, text] of texts.entries()) if (!reader.read(word, text)) break
  if (reader.refusals.length === 0) reader.finish(words.length - 1)
  const parameters = texts.map(parametersOf)

  const upTo = (length: number) => reader.refusals.slice(0, Math.max(1, Math.floor(length / longestWord(texts))))
  const told = upTo(longestDiagnosed)
  const lines = upTo(longestMessage).map(({ message, near, word }) => {
    const shown = near === undefined ? '' : `: near \`${near}'`
    return `config parsing error in disk specification: ${message}${shown} in \`${texts[word] ?? '(null)'}'\n`
  })
  const diagnostics = told.map(refusal => diagnose(refusal, words, texts, parameters, reader))
  if (told.length < reader.refusals.length)
    diagnostics.push(untold(reader.refusals.length - told.length, diagnostics.at(-1)!))
  return { diagnostics, libxlMessage: fromByteString(lines.map(line => `${toByteString(source)}: ${line}`).join('')) }
}

function diagnose(
  refusal: Refusal,
  words: readonly string[],
  texts: readonly string[],
  parameters: readonly Parameter[][],
  reader: DiskReader,
): Diagnostic {
  const span = ({ word, start, end }: { word: number; start: number; end: number }) => ({
    spec: words[word] ?? '',
    start: charOffset(texts[word] ?? '', start),
    end: charOffset(texts[word] ?? '', end),
  })
  const {
    hint,
    message,
    wider,
    field = refusal.field,
  } = hintFor(refusal, texts[refusal.word] ?? '', parameters[refusal.word] ?? [])
  const first = refusal.code === 'respecified' && refusal.field ? reader.origins?.get(refusal.field) : undefined
  const atEnd = refusal.code === 'no-vdev' || refusal.code === 'no-target'
  const end = texts[refusal.word]?.length ?? 0
  return {
    severity: 'error',
    code: refusal.code,
    message: message ?? refusal.message,
    ...span(atEnd ? { word: refusal.word, start: end, end } : { ...refusal, ...wider }),
    notes: first ? [{ message: 'first given here', ...span(first) }] : [],
    ...(field !== undefined && { field }),
    ...(hint !== undefined && { hint }),
  }
}

/** An offset in bytes as one in the text, after the whole of a character that it cuts. */
function charOffset(bytes: string, offset: number): number {
  if (isAscii(bytes)) return offset
  let end = offset
  while (end < bytes.length && (bytes.charCodeAt(end) & 0xc0) === 0x80) end++
  return fromByteString(bytes.slice(0, end)).length
}

const longestWord = (texts: readonly string[]): number => texts.reduce((most, { length }) => Math.max(most, length), 1)

const untold = (count: number, { field: _, ...last }: Diagnostic): Diagnostic => ({
  ...last,
  code: 'too-many-errors',
  message: `${count} more errors are left out`,
  notes: [],
  hint: 'correct the first ones, then look again',
})

function nulByte(spec: string): Diagnostic {
  const start = spec.indexOf('\0')
  return {
    severity: 'error',
    code: 'nul-byte',
    message: 'a NUL byte cannot be part of a disk spec',
    spec,
    start,
    end: start + 1,
    notes: [],
    hint: 'remove it: C would end the spec there, and read half of it',
  }
}

import { DiskJsonError } from './disk-json-error.js'
import { readJsonString } from './json-string.js'

/** A value as libxl tells them apart; a number keeps its text. */
export type JsonValue = { offset: number } & (
  | { type: 'string'; text: string }
  | { type: 'number'; text: string }
  | { type: 'boolean'; value: boolean }
  | { type: 'null' | 'nested' }
)

export interface JsonMembers {
  members: Map<string, JsonValue>
  /** Where the value begins. */
  start: number
  isObject: boolean
}

type State = 'value' | 'value or end' | 'key' | 'key or end' | 'comma or end'

const blanks = /[ \t-\r]*/y
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const literals = [
  ['true', { type: 'boolean', value: true }],
  ['false', { type: 'boolean', value: false }],
  ['null', { type: 'null' }],
] as const

/**
 * The members of a JSON object and where it begins, by the rules and with the words of yajl; of keys given twice the first counts, as it does
 * for libxl. Any other JSON value has no members. What is nested is checked and skipped, at any depth; what follows the
 * value is not looked at.
 *
 * @throws DiskJsonError for a text that is not JSON
 */
export function jsonMembers(text: string): JsonMembers {
  const members = new Map<string, JsonValue>()
  const open: ('{' | '[')[] = []
  let state: State = 'value'
  let key = ''
  const start = skipBlanks(text, 0)
  let at = start

  const keep = (value: JsonValue): void => {
    if (open.length === 1 && open[0] === '{' && !members.has(key)) members.set(key, value)
  }

  while (state !== 'comma or end' || open.length > 0) {
    const character = text[at]
    if (character === undefined) throw new DiskJsonError(text, at, 'parse error: premature EOF')
    const inMap = open.at(-1) === '{'
    if (state === 'comma or end') {
      if (character === ',') state = inMap ? 'key' : 'value'
      else if (character === (inMap ? '}' : ']')) open.pop()
      else throw new DiskJsonError(text, at, inMap ? afterMember : afterElement)
      at++
    } else if (character === '}' && state === 'key or end') {
      state = close()
    } else if (character === ']' && state === 'value or end') {
      state = close()
    } else if (state === 'key' || state === 'key or end') {
      if (character !== '"') throw new DiskJsonError(text, at, 'parse error: invalid object key (must be a string)')
      const read = readJsonString(text, at)
      key = read.text
      at = skipBlanks(text, read.end)
      if (text[at] !== ':') throw new DiskJsonError(text, at, at < text.length ? noColon : 'parse error: premature EOF')
      at++
      state = 'value'
    } else if (character === '{' || character === '[') {
      keep({ type: 'nested', offset: at })
      open.push(character)
      at++
      state = character === '{' ? 'key or end' : 'value or end'
    } else {
      const { value, end } = readScalar(text, at)
      keep(value)
      at = end
      state = 'comma or end'
    }
    at = skipBlanks(text, at)
  }
  return { members, start, isObject: text[start] === '{' }

  function close(): State {
    open.pop()
    at++
    return 'comma or end'
  }
}

const afterMember = "parse error: after key and value, inside map, I expect ',' or '}'"
const afterElement = "parse error: after array element, I expect ',' or ']'"
const noColon = "parse error: object key and value must be separated by a colon (':')"

function readScalar(text: string, at: number): { value: JsonValue; end: number } {
  if (text[at] === '"') {
    const { text: string, end } = readJsonString(text, at)
    return { value: { type: 'string', text: string, offset: at }, end }
  }
  for (const [word, value] of literals) {
    if (text.startsWith(word, at)) return { value: { ...value, offset: at }, end: at + word.length }
  }
  number.lastIndex = at
  const digits = number.exec(text)?.[0]
  if (digits === undefined) throw new DiskJsonError(text, at, oddStart(text[at]!))
  const end = at + digits.length
  if (/[.eE]/.test(text[end] ?? '')) {
    throw new DiskJsonError(text, end, 'lexical error: malformed number, a digit is required after it')
  }
  return { value: { type: 'number', text: digits, offset: at }, end }
}

function oddStart(character: string): string {
  if (character === '-') return 'lexical error: malformed number, a digit is required after the minus sign.'
  if (/[tfn]/.test(character)) return 'lexical error: invalid string in json text.'
  if (/[,:\]}]/.test(character)) return 'parse error: unallowed token at this point in JSON text'
  return 'lexical error: invalid char in json text.'
}

function skipBlanks(text: string, at: number): number {
  blanks.lastIndex = at
  blanks.test(text)
  return blanks.lastIndex
}

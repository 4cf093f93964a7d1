import { isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml'
import type * as z from 'zod'
import { printable } from '../../printable.js'
import { ConfigError, type ConfigProblem } from './config-error.js'

/** The longest file, in characters, and how many problems are reported of one. */
const longest = 1024 * 1024
const problemsAtMost = 100

/** Reads a configuration file in YAML (or JSON, which is YAML). @throws ConfigError with all that is wrong, each with its line and column */
export function readConfig<Schema extends z.ZodType>(text: string, schema: Schema, file: string): z.output<Schema> {
  if (text.length > longest)
    throw new ConfigError(file, [{ line: 1, column: 1, message: `a configuration has at most ${longest} characters` }])
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, merge: false })
  const placed = (offset: number, message: string): ConfigProblem => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col), message: printable(message) }
  }
  const broken = document.errors.map(({ pos, message }) => placed(pos[0], message))
  if (broken.length > 0) throw new ConfigError(file, broken.slice(0, problemsAtMost))
  let value: unknown
  try {
    // an alias of an alias could stand for more than memory holds
    value = document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (error) {
    throw new ConfigError(file, [placed(0, (error as Error).message)])
  }
  const read = schema.safeParse(value)
  if (read.success) return read.data
  const problems = read.error.issues.flatMap(issue => wordsOf(issue, value))
  throw new ConfigError(
    file,
    problems
      .slice(0, problemsAtMost)
      .map(({ path, isKey, message }) => placed(offsetOf(document.contents, path, isKey), message)),
  )
}

interface Words {
  path: readonly PropertyKey[]
  /** What is wrong is the key, not what stands behind it. */
  isKey?: boolean
  message: string
}

/** What an issue of the schema means, in words for who wrote the file. */
function wordsOf(issue: z.core.$ZodIssue, value: unknown): Words[] {
  const { path } = issue
  const where = path.length === 0 ? 'the configuration' : path.map(String).join('.')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => ({ path: [...path, key], isKey: true, message: `${where} has no '${key}'` }))
  if (issue.code === 'invalid_key')
    return [{ path, isKey: true, message: `${where} is a name of ${issue.issues[0]?.message ?? 'another kind'}` }]
  if (isMissing(value, path)) return [{ path, message: `${where} is missing` }]
  return [{ path, message: `${where}: ${issue.message}` }]
}

function isMissing(value: unknown, path: readonly PropertyKey[]): boolean {
  let inner = value
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null) return true
    inner = (inner as Record<PropertyKey, unknown>)[key]
  }
  return inner === undefined
}

/** Where a value stands in the text; what is not there is reported where it should be. */
function offsetOf(contents: unknown, path: readonly PropertyKey[], isKey = false): number {
  let node = contents
  let offset = startOf(node, 0)
  for (const [index, key] of path.entries()) {
    if (isSeq(node)) node = node.items[Number(key)]
    else if (isMap(node)) {
      const pair = node.items.find(one => String(one.key) === String(key))
      if (pair !== undefined && (isKey ? index === path.length - 1 : pair.value === null))
        return startOf(pair.key, offset)
      node = pair?.value
    } else node = undefined
    if (node === undefined || node === null) break
    offset = startOf(node, offset)
  }
  return offset
}

const startOf = (node: unknown, otherwise: number): number =>
  isNode(node) ? (node.range?.[0] ?? otherwise) : otherwise

import { basename, dirname } from 'node:path'
import { parseSync } from 'oxc-parser'

/** The lines that a diff without context (`git diff --unified=0`) adds or changes: numbers in the new text, by file. */
export function changedLines(diff) {
  const changed = new Map()
  let lines
  for (const line of diff.split('\n')) {
    const [, file] = /^\+\+\+ (?:b\/(.*)|\/dev\/null)$/.exec(line) ?? []
    if (line.startsWith('+++ ')) lines = file === undefined ? undefined : new Set()
    if (file !== undefined) changed.set(file, lines)
    const [, start, count = '1'] = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line) ?? []
    if (start !== undefined) for (let at = 0; at < Number(count); at++) lines?.add(Number(start) + at)
  }
  return changed
}

const swapped = {
  ...{ '===': '!==', '!==': '===', '<': '<=', '<=': '<', '>': '>=', '>=': '>' },
  ...{ '+': '-', '-': '+', '*': '/', '/': '*', '%': '*', '&': '|', '|': '&', '<<': '>>', '>>': '<<', '>>>': '<<' },
}

/** What may stand for a node: pieces of text in place of pieces of its text. */
const mutators = {
  BinaryExpression: (node, text) => operator(node, text, swapped[node.operator]),
  LogicalExpression: (node, text) => [
    ...operator(node, text, { '&&': '||', '||': '&&' }[node.operator]),
    [node, text(node.left)],
    [node, text(node.right)],
  ],
  UnaryExpression: (node, text) => (['!', '-'].includes(node.operator) ? [[node, text(node.argument)]] : []),
  IfStatement: ({ test }) => constants(test),
  ConditionalExpression: ({ test }) => constants(test),
  WhileStatement: ({ test }) => [[test, 'false']],
  ExpressionStatement: node => (/^(?:Call|Await|Assignment|Update)/.test(node.expression.type) ? [[node, ';']] : []),
  ContinueStatement: node => [[node, ';']],
  BreakStatement: node => [[node, ';']],
  Literal: node => literal(node),
}

const constants = test => [
  [test, 'true'],
  [test, 'false'],
]

function operator({ left, right, operator }, text, replacement) {
  if (replacement === undefined) return []
  const between = text({ start: left.end, end: right.start })
  const start =
    left.end + between.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, comment => ' '.repeat(comment.length)).indexOf(operator)
  return [[{ start, end: start + operator.length }, replacement]]
}

function literal(node) {
  if (typeof node.value === 'boolean') return [[node, String(!node.value)]]
  if (typeof node.value === 'number') return [[node, String(node.value + 1)]]
  if (typeof node.value === 'string') return [[node, node.value === '' ? "'mutant'" : "''"]]
  return []
}

/** Types are gone when the code runs, and where a module comes from is not behaviour. */
const isSkipped = type => type.startsWith('TS') || /^(?:Import|Export(?:All|Named))/.test(type)
/** TypeScript's nodes with code inside. */
const wrappers = new Set(['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression'])

/** Every mutant of a source's wanted lines: what stands where, and what to put there. */
export function mutantsOf(filename, source, lines) {
  const { program, errors } = parseSync(filename, source)
  if (errors.length > 0) throw new Error(`${filename}: ${errors[0].message}`)
  const starts = [0]
  for (const { index } of source.matchAll(/\n/g)) starts.push(index + 1)
  const lineOf = offset => starts.findLastIndex(start => start <= offset) + 1
  const text = ({ start, end }) => source.slice(start, end)
  const found = []
  const visit = node => {
    if (Array.isArray(node)) return node.forEach(visit)
    if (typeof node?.type !== 'string') return
    if (node.type === 'ExportNamedDeclaration') return visit(node.declaration)
    if (isSkipped(node.type) && !wrappers.has(node.type)) return
    for (const [{ start, end }, replacement] of mutators[node.type]?.(node, text) ?? [])
      if (lines.has(lineOf(start)) && text({ start, end }) !== replacement)
        found.push({ file: filename, line: lineOf(start), start, end, original: text({ start, end }), replacement })
    for (const [key, child] of Object.entries(node)) if (key !== 'typeAnnotation') visit(child)
  }
  visit(program.body)
  return found
}

/** The source with a mutant in it. */
export const mutate = (source, { start, end, replacement }) => source.slice(0, start) + replacement + source.slice(end)

/** Some of a list, the same for the same seed, in the list's order. */
export function sample(list, count, seed) {
  let state = seed >>> 0
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return list
    .map((item, index) => ({ item, index, key: random() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, count)
    .sort((a, b) => a.index - b.index)
    .map(({ item }) => item)
}

/**
 * The tests that speak of a source, the nearest first: that of its name, those of its folder, of the folders above, up to its
 * room (the folder below src/). Tests and sources are paths from the project's folder.
 */
export function testsFor(source, tests) {
  const name = basename(source, '.ts')
  const folders = []
  for (let folder = dirname(source).slice(4); folder !== '' && folder !== '.'; folder = dirname(folder))
    folders.push(`test/${folder}/`)
  const distance = test => {
    if (basename(test, '.test.ts') === name) return -1
    const at = folders.findIndex(folder => test.startsWith(folder))
    if (at < 0) return folders.length === 0 ? 0 : undefined
    return at
  }
  return tests
    .map(test => ({ test, far: distance(test) }))
    .filter(({ far }) => far !== undefined)
    .sort((a, b) => a.far - b.far || (a.test < b.test ? -1 : 1))
    .map(({ test }) => test)
}

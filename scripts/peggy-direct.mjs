// A peggy plugin for small, hot grammars: direct code in place of peggy's general one. The grammar stays plain peggy, and
// its parser by peggy's own generator must give the same results; what is given up is the report of what was expected.
// Where it is stands in a local variable, which V8 keeps in a register. A parse costs no closures, a class no regular expression, and an alternative that can't start here one comparison.
// Actions may not parse, as the state is the module's. One that has an effect, through `options` alone, runs wherever it stands;
// it may not stand where the parse only looks or goes back. The others are left out where no value is wanted.

/** For `plugins` of peggy.generate, with `output: 'source'` and `format: 'es'`. */
export const direct = {
  use(config) {
    config.passes.generate = [generate]
  },
}

function generate(ast, options) {
  refuseOptions(ast, options)
  const rules = new Map(ast.rules.map(rule => [rule.name, rule]))
  const functions = []
  const stops = new Set()
  const calls = new Set([`rule${ast.rules[0].name}`])
  const context = { rules, functions, stops, calls, effects: effectsOf(rules) }
  const body = []
  // a set also gives what comes into it meanwhile
  for (const call of calls) body.push(ruleCode(call, rules.get(call.slice(4)), context))
  ast.code = `${ast.topLevelInitializer?.code ?? ''}
var input = ''
var options
var start = 0
var end = 0
const FAILED = Symbol('failed')
const offset = () => start
const text = () => input.slice(start, end)
${[...stops].map(stop => `var from${stop} = 0, next${stop} = -1`).join('\n')}
${functions.join('\n')}
${body.join('\n')}
export function parse(source, given) {
  input = source
  options = given
${[...stops].map(stop => `  next${stop} = -1`).join('\n')}
  const result = rule${ast.rules[0].name}(0)
  input = ''
  options = undefined
  if (result === FAILED || end !== source.length) throw new SyntaxError(\`no match at offset \${end}\`)
  return result
}
`
}

function refuseOptions(ast, { format, allowedStartRules, cache, trace }) {
  if (format !== 'es') throw new Error('direct: ES modules only')
  if (ast.initializer) throw new Error('direct: no per-parse initializer')
  if (allowedStartRules.some(name => name !== ast.rules[0].name)) throw new Error('direct: only the first rule starts')
  if (cache || trace) throw new Error('direct: neither cache nor trace')
}

/**
 * The function of a rule: `rule…` gives its value, or FAILED, and leaves in `end` how far it came; `skip…` only gives how far
 * it came, or -1, and leaves its actions out but for those with an effect.
 */
function ruleCode(name, rule, context) {
  const valued = name.startsWith('rule')
  let count = 0
  const names = []
  const fresh = prefix => {
    const name = `${prefix}${count++}`
    if (prefix !== 'L') names.push(name)
    return name
  }
  const target = valued ? fresh('v') : undefined
  const code = match(rule.expression, { ...context, fresh, target, fail: 'Failed', env: [] })
  return `function ${name}(pos) {
const source = input
const length = source.length
${names.length > 0 ? `let ${names.join(', ')}\n` : ''}Failed: {
${code}${valued ? `end = pos\nreturn ${target}` : 'return pos'}
}
return ${valued ? 'FAILED' : '-1'}
}`
}

/**
 * Statements that match a node at `pos`: on success they fall through with the value in `target` (where one is wanted),
 * else they leave the block labelled `fail`, with `pos` anywhere. `env` holds the labels in scope.
 */
function match(node, g) {
  return (matchers[node.type] ?? unsupported)(node, g)
}

const unsupported = node => {
  throw new Error(`direct: no code for a ${node.type} node`)
}

const set = (g, value) => (g.target ? `${g.target} = ${value}\n` : '')

const matchers = {
  named: (node, g) => match(node.expression, g),
  group: (node, g) => match(node.expression, g),

  rule_ref(node, g) {
    const { expression } = g.rules.get(node.name)
    const { within = [] } = g
    if (sizeOf(expression) <= inlined && !within.includes(node.name))
      return match(expression, { ...g, scope: undefined, located: undefined, env: [], within: [...within, node.name] })
    if (g.target) {
      g.calls.add(`rule${node.name}`)
      return `${g.target} = rule${node.name}(pos)\nif (${g.target} === FAILED) break ${g.fail}\npos = end\n`
    }
    if (g.looking && g.effects.has(node.name))
      throw new Error(`direct: ${node.name} has an effect where the parse only looks`)
    g.calls.add(`skip${node.name}`)
    return `pos = skip${node.name}(pos)\nif (pos < 0) break ${g.fail}\n`
  },

  literal(node, g) {
    if (node.ignoreCase) throw new Error('direct: no case-insensitive literals')
    if (g.located?.includes(node.value)) {
      const next = `next${node.value.charCodeAt(0)}`
      return `if (pos !== ${next} || pos === length) break ${g.fail}\npos++\n${set(g, JSON.stringify(node.value))}`
    }
    const size = node.value.length
    const tests = Array.from(
      { length: size },
      (_, index) => `source.charCodeAt(pos${index ? ` + ${index}` : ''}) !== ${node.value.charCodeAt(index)}`,
    )
    const test = size ? `if (pos + ${size} > length || ${tests.join(' || ')}) break ${g.fail}\npos += ${size}\n` : ''
    return test + set(g, JSON.stringify(node.value))
  },

  class(node, g) {
    const char = g.fresh('c')
    return `${char} = ${peek}\nif (!(${oneOf(rangesOf(node), char)})) break ${g.fail}\n${set(g, 'source[pos]')}pos++\n`
  },

  any: (_node, g) => `if (pos >= length) break ${g.fail}\n${set(g, 'source[pos]')}pos++\n`,

  sequence(node, g) {
    const picked = node.elements.filter(element => element.pick)
    const values = []
    const env = [...g.env]
    let code = ''
    let located = []
    for (const element of node.elements) {
      const wanted = g.target !== undefined && (picked.length === 0 || element.pick)
      const named = element.label && (g.scope || g.target !== undefined)
      const target = wanted || named ? g.fresh('v') : undefined
      if (wanted) values.push(target)
      const expression = element.type === 'labeled' ? element.expression : element
      const known = isLiteral(expression) ? located : undefined
      code += match(expression, { ...g, scope: undefined, located: known, target, env: [...env] })
      located = target === undefined || expression.type === 'text' ? stopsOf(expression) : []
      if (element.label && target) env.push([element.label, target])
    }
    g.scope?.push(...env)
    return code + set(g, picked.length === 1 ? values[0] : `[${values.join(', ')}]`)
  },

  labeled: (node, g) => match(node.expression, g),

  choice(node, g) {
    const saved = g.fresh('p')
    const char = g.fresh('c')
    const done = g.fresh('L')
    const alternatives = node.alternatives.map((alternative, index) => {
      const fail = g.fresh('L')
      const first = firstRanges(alternative, g.rules)
      return `${fail}: {
${first ? `if (!(${oneOf(first, char)})) break ${fail}\n` : ''}${match(alternative, { ...g, fail, env: [...g.env] })}break ${done}
}
${index + 1 < node.alternatives.length ? `pos = ${saved}\n` : ''}`
    })
    return `${saved} = pos\n${char} = ${peek}\n${done}: {\n${alternatives.join('')}break ${g.fail}\n}\n`
  },

  optional(node, g) {
    const [saved, done, fail] = [g.fresh('p'), g.fresh('L'), g.fresh('L')]
    return `${saved} = pos\n${done}: {\n${fail}: {\n${precheck(node.expression, fail, g)}${match(node.expression, { ...g, fail })}break ${done}\n}\npos = ${saved}\n${set(g, 'null')}}\n`
  },

  zero_or_more: (node, g) => repetition(node.expression, g, false),
  one_or_more: (node, g) => repetition(node.expression, g, true),

  text(node, g) {
    const from = g.fresh('p')
    return `${from} = pos\n${match(node.expression, { ...g, target: undefined })}${set(g, `source.slice(${from}, pos)`)}`
  },

  simple_and(node, g) {
    const saved = g.fresh('p')
    return `${saved} = pos\n${match(node.expression, { ...g, target: undefined, looking: true })}pos = ${saved}\n${set(g, 'undefined')}`
  },

  simple_not(node, g) {
    const [saved, absent] = [g.fresh('p'), g.fresh('L')]
    return `${saved} = pos\n${absent}: {\n${precheck(node.expression, absent, g)}${match(node.expression, { ...g, target: undefined, fail: absent, looking: true })}break ${g.fail}\n}\npos = ${saved}\n${set(g, 'undefined')}`
  },

  action(node, g) {
    const effect = hasEffect(node)
    if (effect && g.looking) throw new Error('direct: an effect where the parse only looks')
    if (!g.target && !effect) return match(node.expression, g)
    const from = g.fresh('p')
    const scope = []
    refuseCode(node.code)
    const code = actionExpression(node.expression, g, scope)
    const name = `action${g.functions.length}`
    g.functions.push(`function ${name}(${scope.map(([label]) => label).join(', ')}) {${node.code}}`)
    return `${from} = pos\n${code}start = ${from}\nend = pos\n${g.target ? `${g.target} = ` : ''}${name}(${scope.map(([, variable]) => variable).join(', ')})\n`
  },
}

const hasEffect = node => node.type === 'action' && /\boptions\b/.test(node.code)

/** The names of the rules that have an effect, by an action of theirs or by one of a rule that they stand on. */
function effectsOf(rules) {
  const effects = new Set()
  for (let before = -1; before < effects.size; ) {
    before = effects.size
    for (const { name, expression } of rules.values()) if (reaches(expression, effects)) effects.add(name)
  }
  return effects
}

const reaches = (node, effects) =>
  hasEffect(node) ||
  (node.type === 'rule_ref' && effects.has(node.name)) ||
  partsOf(node).some(part => reaches(part, effects))

const partsOf = ({ expression, elements = [], alternatives = [] }) =>
  [expression, ...elements, ...alternatives].filter(Boolean)

/** Rules of at most so many nodes stand where they are wanted: a call takes longer than to look at so little. */
const inlined = 20

const sizeOf = node => 1 + partsOf(node).reduce((size, part) => size + sizeOf(part), 0)

/** What an action acts on; the labels that it sees go into `scope`. */
function actionExpression(node, g, scope) {
  if (node.type === 'sequence') return match(node, { ...g, target: undefined, scope })
  scope.push(...g.env)
  if (node.type !== 'labeled') return match(node, { ...g, target: undefined })
  const target = g.fresh('v')
  scope.push([node.label, target])
  return match(node.expression, { ...g, target })
}

function refuseCode(code) {
  const [word] = /\b(?:location|range|error|expected|input|peg\$\w*)\b/.exec(code) ?? []
  if (word) throw new Error(`direct: an action may use text() and offset(), not ${word}`)
}

function repetition(node, g, atLeastOne) {
  if (!g.target && (node.type === 'class' || node.type === 'any')) return run(node, g, atLeastOne)
  const [saved, fail] = [g.fresh('p'), g.fresh('L')]
  const item = g.target ? g.fresh('v') : undefined
  const from = atLeastOne ? g.fresh('p') : undefined
  return `${set(g, '[]')}${atLeastOne ? `${from} = pos\n` : ''}for (;;) {
${saved} = pos
${fail}: {
${match(node, { ...g, target: item, fail })}${item ? `${g.target}.push(${item})\n` : ''}continue
}
pos = ${saved}
break
}
${atLeastOne ? `if (pos === ${from}) break ${g.fail}\n` : ''}`
}

/** The characters that a run has just looked for: each one's next position is known behind it. */
function stopsOf(node) {
  if (node.type === 'labeled' || node.type === 'text') return stopsOf(node.expression)
  const repeated = node.type === 'zero_or_more' || node.type === 'one_or_more' ? node.expression : undefined
  return repeated?.type === 'class' && isStopSet(repeated) ? repeated.parts : []
}

const isLiteral = node => node.type === 'literal' || (node.type === 'optional' && node.expression.type === 'literal')

const isStopSet = node =>
  node.inverted && node.parts.length > 0 && node.parts.every(part => typeof part === 'string' && part.length === 1)

/** A run of characters nobody wants one by one. */
function run(node, g, atLeastOne) {
  const from = g.fresh('p')
  const char = g.fresh('c')
  const check = atLeastOne ? `if (pos === ${from}) break ${g.fail}\n` : ''
  if (node.type === 'any') return `${from} = pos\npos = length\n${check}`
  if (isStopSet(node)) return upTo(node.parts, from, g) + check
  const at = g.fresh('p')
  return `${from} = ${at} = pos\nwhile (${at} < length) {\n${char} = source.charCodeAt(${at})\nif (!(${oneOf(rangesOf(node), char)})) break\n${at}++\n}\npos = ${at}\n${check}`
}

/**
 * To the first of some characters. Where each comes next is remembered, with the place from where it was looked for, so
 * that looking is linear over a parse that goes on, and right where it goes back.
 */
function upTo(chars, from, g) {
  const end = g.fresh('p')
  const look = chars.map((char, index) => {
    const code = char.charCodeAt(0)
    g.stops.add(code)
    const known = `if (next${code} < pos || pos < from${code}) {\nfrom${code} = pos\nnext${code} = source.indexOf(${JSON.stringify(char)}, pos)\nif (next${code} < 0) next${code} = length\n}\n`
    return `${known}${index ? `if (next${code} < ${end}) ` : ''}${end} = next${code}\n`
  })
  return `${from} = pos\n${look.join('')}pos = ${end}\n`
}

/** The next character's code; -1 at the end, as V8 no longer compiles an access that was once out of bounds. */
const peek = 'pos < length ? source.charCodeAt(pos) : -1'

/** Leaves at once where the next character can't begin a match, without the call that would find that out. */
function precheck(node, fail, g) {
  const first = node.type === 'rule_ref' && firstRanges(node, g.rules)
  if (!first) return ''
  const char = g.fresh('c')
  return `${char} = ${peek}\nif (!(${oneOf(first, char)})) break ${fail}\n`
}

const oneOf = (ranges, char) =>
  ranges
    .map(([low, high]) => (low === high ? `${char} === ${low}` : `(${char} >= ${low} && ${char} <= ${high})`))
    .join(' || ') || 'false'

const lastCode = 0xffff

/** The character codes of a class, as ranges. */
function rangesOf(node) {
  if (node.ignoreCase) throw new Error('direct: no case-insensitive classes')
  const ranges = node.parts.map(part => {
    const [first, last = first] = [part].flat()
    if (first?.length !== 1 || last?.length !== 1) throw new Error('direct: no classes beyond the basic plane')
    return [first.charCodeAt(0), last.charCodeAt(0)]
  })
  return node.inverted ? between(merged(ranges)) : merged(ranges)
}

/** In order, and those that touch as one. */
function merged(ranges) {
  const result = []
  for (const [low, high] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = result.at(-1)
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high)
    else result.push([low, high])
  }
  return result
}

const between = ranges =>
  [...ranges, [lastCode + 1]]
    .map(([low], index) => [index ? ranges[index - 1][1] + 1 : 0, low - 1])
    .filter(([low, high]) => low <= high)

/** The character codes that a match of a node can begin with, or undefined where it need not begin with any. */
function firstRanges(node, rules) {
  switch (node.type) {
    case 'literal':
      return node.value ? [[node.value.charCodeAt(0), node.value.charCodeAt(0)]] : undefined
    case 'class':
      return rangesOf(node)
    case 'rule_ref':
      return firstRanges(rules.get(node.name).expression, rules)
    case 'named':
    case 'group':
    case 'labeled':
    case 'action':
    case 'text':
    case 'one_or_more':
    case 'simple_and':
      return firstRanges(node.expression, rules)
    case 'sequence':
      for (const element of node.elements) {
        const first = firstRanges(element, rules)
        // what only looks stays where it is, so that the next element begins there too
        if (first || !looks(element)) return first
      }
      return undefined
    case 'choice': {
      const firsts = node.alternatives.map(alternative => firstRanges(alternative, rules))
      return firsts.every(Boolean) ? merged(firsts.flat()) : undefined
    }
  }
  return undefined
}

const looks = node => node.type === 'simple_and' || node.type === 'simple_not'

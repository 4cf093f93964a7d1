/** A sample of the text format as a scraper has it. */
export interface ParsedSample {
  name: string
  labels: Record<string, string>
  value: number
}

export interface ParsedFamily {
  name: string
  type: string
  help: string
  samples: ParsedSample[]
}

/** Reads Prometheus' text format, version 0.0.4, and takes nothing else. @throws Error */
export function parseExposition(text: string): ParsedFamily[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end')
  const families: ParsedFamily[] = []
  const names = new Set<string>()
  const series = new Set<string>()
  for (const line of text.split('\n').slice(0, -1)) {
    const family = families.at(-1)
    const [, kind, name, rest] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line) ?? []
    if (kind === 'HELP') {
      if (names.has(name!)) throw new Error(`${name} comes twice`)
      names.add(name!)
      families.push({ name: name!, type: '', help: unescaped(rest!, 'n\\'), samples: [] })
      continue
    }
    if (family === undefined) throw new Error(`${line} belongs to nothing`)
    if (kind === 'TYPE') {
      if (family.name !== name || family.type !== '') throw new Error(`${line} is in the wrong place`)
      family.type = rest!
      continue
    }
    const sample = parseSample(line)
    const endings = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    if (!endings.some(ending => sample.name === `${family.name}${ending}`)) throw new Error(`${line} is not its own`)
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
    if (series.has(key)) throw new Error(`${line} comes twice`)
    series.add(key)
    family.samples.push(sample)
  }
  return families
}

const labelPattern = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(,|\})/

function parseSample(line: string): ParsedSample {
  const [head = ''] = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line) ?? []
  const labels: Record<string, string> = {}
  let rest = line.slice(head.length)
  if (rest.startsWith('{')) {
    rest = rest.slice(1)
    for (let end = ','; end === ','; ) {
      const [all, name, value, after] = labelPattern.exec(rest) ?? []
      if (all === undefined || Object.hasOwn(labels, name!)) throw new Error(`wrong labels: ${line}`)
      labels[name!] = unescaped(value!, 'n"\\')
      rest = rest.slice(all.length)
      end = after!
    }
  }
  const [, number] = /^ (\S+)$/.exec(rest) ?? []
  if (head === '' || number === undefined) throw new Error(`no sample: ${line}`)
  return { name: head, labels, value: parseNumber(number) }
}

function parseNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  if (text === 'NaN') return Number.NaN
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) throw new Error(`no number: ${text}`)
  return Number(text)
}

const unescaped = (text: string, known: string): string =>
  text.replace(/\\(.?)/gs, (_, char: string) => {
    if (char === '' || !known.includes(char)) throw new Error(`no escape: ${text}`)
    return char === 'n' ? '\n' : char
  })

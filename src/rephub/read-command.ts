import { resolve } from 'node:path'
import { parseBytes } from '../amounts.js'
import { type CommandLine as GivenOptions, lastValue, readCommandLine } from '../command-line/command-line.js'
import { readCommonCommand } from '../command-line/common-command.js'
import { readEtcdChoice, readLeaseChoice } from '../command-line/lease-choice.js'
import { readPageChoice } from '../command-line/page-choice.js'
import { readMetricsAddress, readTime } from '../command-line/read-value.js'
import { UsageError } from '../command-line/usage-error.js'
import { readVerb, refuseStrayOptions } from '../command-line/verb.js'
import type { Asked } from '../replication-command/ask.js'
import { filled, readAddress, readName, readTimeout, readWords } from '../replication-command/read-value.js'
import type { Command, HubsCommand, ServeCommand } from './command.js'
import { usualControl } from './defaults.js'
import { type OptionName, options } from './option-table.js'
import { readAt, readTimeAt } from './read-at.js'
import type { Form } from './start-text.js'
import { type Verb, verbNames, verbs } from './verbs.js'

type CommandLine = GivenOptions<OptionName>

/** @param now in milliseconds since 1970 @throws UsageError */
export function readCommand(args: readonly string[], now = Date.now()): Command {
  const line = readCommandLine(args, options, { plainWord: 'word' })
  const common = readCommonCommand(line.values)
  if (common !== undefined) return common
  const [word, ...words] = line.words
  const verb = readVerb(word, verbNames)
  refuseStrayOptions(line, options, verb)
  if (verb === 'serve') return serve(line, words)
  return verb === 'hubs' ? hubs(line, words) : ask(line, words, verb, now)
}

function hubs(line: CommandLine, words: readonly string[]): HubsCommand {
  readWords('hubs', words, verbs.hubs.words, 0)
  return { kind: 'hubs', ...readEtcdChoice(line, 'hubs'), json: line.values.has('json') }
}

function serve(line: CommandLine, words: readonly string[]): ServeCommand {
  readWords('serve', words, verbs.serve.words, 0)
  const config = filled(line, 'config')
  const data = filled(line, 'data')
  if (config === undefined && data === undefined)
    throw new UsageError('serve needs --data DIR or --config FILE: where are the copies?')
  const control = filled(line, 'control')
  const tls = filled(line, 'tls')
  const metrics = lastValue(line, 'metrics')
  const page = readPageChoice(name => lastValue(line, name))
  const pageControl = line.values.has('page-control')
  if (pageControl && page === undefined) throw new UsageError('--page-control is for --page only: where is the page?')
  return {
    kind: 'serve',
    config,
    given: {
      ...(data !== undefined && { data: resolve(data) }),
      ...addressOf(line, 'listen'),
      ...addressOf(line, 'nbd'),
      ...(tls !== undefined && { tls }),
      ...(control !== undefined && { control }),
    },
    metrics: metrics === undefined ? undefined : readMetricsAddress('--metrics', metrics),
    stateFiles: filled(line, 'state-files'),
    page: page && { ...page, control: pageControl },
    takeOver: line.values.has('take-over'),
    lease: readLeaseChoice(line),
    json: line.values.has('json'),
  }
}

/** What a recovery guest is told of a socket has to be true in every folder. */
function addressOf(line: CommandLine, name: 'listen' | 'nbd'): { listen?: string; nbd?: string } {
  const text = filled(line, name)
  if (text === undefined) return {}
  const address = readAddress(`--${name}`, text)
  return { [name]: address.includes('/') ? resolve(address) : address }
}

function ask(line: CommandLine, words: readonly string[], verb: Exclude<Verb, 'serve' | 'hubs'>, now: number): Command {
  const asked: Asked = {
    control: filled(line, 'control') ?? usualControl,
    json: line.values.has('json'),
    timeout: readTimeout(lastValue(line, 'timeout')),
  }
  const [first = '', second = ''] = words
  const count = (least: number, most = least) => readWords(verb, words, verbs[verb].words, least, most)
  const name = (option: 'branch' | 'agent') => {
    const text = lastValue(line, option)
    return text === undefined ? undefined : readName(`--${option}`, text)
  }
  const form = () => (asked.json ? 'json' : ((lastValue(line, 'form') ?? 'url') as Form))
  const time = (option: 'from' | 'to') => {
    const text = lastValue(line, option)
    return text === undefined ? undefined : readTimeAt(`--${option}`, text, now)
  }
  const needed = (option: 'offset' | 'length') => {
    const text = lastValue(line, option)
    if (text === undefined) throw new UsageError(`${verb} needs --${option} BYTES`)
    return text
  }
  switch (verb) {
    case 'status': {
      count(0, 1)
      const group = words.length === 0 ? undefined : readName('GROUP', first)
      return { ...asked, kind: verb, group, watch: line.values.has('watch') }
    }
    case 'points': {
      count(1)
      const every = lastValue(line, 'every')
      return {
        ...asked,
        kind: verb,
        group: readName('GROUP', first),
        every: every === undefined ? undefined : readTime('--every', every) * 1000,
        from: time('from'),
        to: time('to'),
      }
    }
    case 'test':
    case 'failover': {
      count(1)
      const at = readAt(lastValue(line, 'at'), now)
      return { ...asked, kind: verb, group: readName('GROUP', first), branch: name('branch'), at, form: form() }
    }
    case 'arguments': {
      count(1, 2)
      const branch = words.length === 1 ? undefined : readName('BRANCH', second)
      return { ...asked, kind: verb, group: readName('GROUP', first), branch, form: form() }
    }
    case 'read':
      count(2)
      return {
        ...asked,
        kind: verb,
        group: readName('GROUP', first),
        volume: readName('VOLUME', second),
        offset: readOffset(needed('offset')),
        length: readLength(needed('length')),
        branch: name('branch'),
        force: line.values.has('force'),
      }
    case 'write': {
      count(2)
      const offset = readOffset(needed('offset'))
      return { ...asked, kind: verb, group: readName('GROUP', first), volume: readName('VOLUME', second), offset }
    }
    case 'commit':
    case 'discard':
      count(2)
      return { ...asked, kind: verb, group: readName('GROUP', first), branch: readName('BRANCH', second) }
    case 'failback':
      count(1)
      return {
        ...asked,
        kind: verb,
        group: readName('GROUP', first),
        agent: name('agent'),
        now: line.values.has('now'),
      }
    case 'pause':
    case 'resume':
    case 'stop':
    case 'start':
    case 'hold':
    case 'release':
      count(1)
      return { ...asked, kind: verb, group: readName('GROUP', first) }
    case 'checkpoint':
      count(2)
      return { ...asked, kind: verb, group: readName('GROUP', first), name: readName('NAME', second) }
  }
}

function readOffset(text: string): number {
  const offset = text === '0' ? 0 : parseBytes(text)
  if (offset !== undefined) return offset
  throw new UsageError(`--offset takes a number of bytes, such as 0, 512, 64K or 2G, not '${text}'`)
}

function readLength(text: string): number {
  const length = parseBytes(text)
  if (length !== undefined) return length
  throw new UsageError(`--length takes a number of bytes, such as 512, 64K or 2G, not '${text}'`)
}

import { hostname } from 'node:os'
import { isAbsolute } from 'node:path'
import { parseBytes } from '../amounts.js'
import { type CommandLine as GivenOptions, lastValue, readCommandLine } from '../command-line/command-line.js'
import { readCommonCommand } from '../command-line/common-command.js'
import { readEtcdChoice, readLeaseChoice } from '../command-line/lease-choice.js'
import { readMetricsAddress, readSocket, readTime } from '../command-line/read-value.js'
import { UsageError } from '../command-line/usage-error.js'
import { readVerb, refuseStrayOptions } from '../command-line/verb.js'
import { isLeaseName } from '../lease/lease-name.js'
import { reasonAtMost } from '../protocol-d/control/command.js'
import { highestPromotion, largestDisk } from '../protocol-d/geometry.js'
import type { AfterSplitBrain } from '../protocol-d/handshake.js'
import type { Asked, Command, PairsCommand, ProbeCommand, ServeCommand } from './command.js'
import { type OptionName, options } from './option-table.js'
import { type Verb, verbNames, verbs } from './verbs.js'

type CommandLine = GivenOptions<OptionName>

/** @throws UsageError */
export function readCommand(args: readonly string[]): Command {
  const line = readCommandLine(args, options, { plainWord: 'word' })
  const common = readCommonCommand(line.values)
  if (common !== undefined) return common
  const [word, ...words] = line.words
  const verb = readVerb(word, verbNames)
  refuseStrayOptions(line, options, verb)
  if (verb === 'probe') return probe(line, words)
  if (verb === 'create') return { kind: verb, ...files(line, words, verb), ...sizes(line) }
  if (verb === 'serve') return serve(line, words)
  if (verb === 'pairs') return pairs(line, words)
  return ask(line, words, verb)
}

function probe(line: CommandLine, words: readonly string[]): ProbeCommand {
  const [target = '', ...more] = words
  if (target === '' || more.length > 0)
    throw new UsageError(`probe takes one word, not ${words.length}:${verbs.probe.words}`)
  return { kind: 'probe', target, json: line.values.has('json'), timeout: time(line, 'timeout') }
}

function files(line: CommandLine, words: readonly string[], verb: 'create' | 'serve') {
  const [data = '', ...more] = words
  if (data === '' || more.length > 0)
    throw new UsageError(`${verb} takes one word, not ${words.length}:${verbs[verb].words}`)
  const pairFile = needed(line, 'pair-file', `${verb} needs --pair-file FILE: which pair is it of?`)
  return { data, pairFile, meta: lastValue(line, 'meta'), log: lastValue(line, 'log') }
}

function sizes(line: CommandLine): { size: number | undefined; logSize: number | undefined } {
  const read = (name: 'size' | 'log-size') => {
    const text = lastValue(line, name)
    if (text === undefined) return undefined
    const bytes = parseBytes(text)
    if (bytes === undefined || bytes % 512 !== 0 || bytes > largestDisk)
      throw new UsageError(`--${name} takes bytes, a multiple of 512 up to 8T, such as 64M or 20G, not '${text}'`)
    return bytes
  }
  const logSize = read('log-size')
  if (logSize !== undefined && logSize < 64 * 1024 * 1024) throw new UsageError('--log-size is 64M at least')
  return { size: read('size'), logSize }
}

function serve(line: CommandLine, words: readonly string[]): ServeCommand {
  const listen = lastValue(line, 'listen')
  const connect = lastValue(line, 'connect')
  if ((listen === undefined) === (connect === undefined))
    throw new UsageError('serve takes one of --listen and --connect: one node of a pair listens, the other connects')
  const afterSplitBrain = (lastValue(line, 'after-split-brain') ?? 'disconnect') as AfterSplitBrain
  const deadAfter = time(line, 'dead-after')
  if (deadAfter !== undefined && (deadAfter < 100 || deadAfter > 3_600_000))
    throw new UsageError('--dead-after takes a time from 100ms to 60m')
  const metrics = lastValue(line, 'metrics')
  const name = lastValue(line, 'name') ?? 'disk'
  if (name === '' || Buffer.byteLength(name) > 4096) throw new UsageError('--name takes 1 to 4096 bytes')
  return {
    kind: 'serve',
    ...files(line, words, 'serve'),
    peer:
      listen === undefined
        ? { connect: readSocket('--connect', connect!) }
        : { listen: readSocket('--listen', listen) },
    tls: lastValue(line, 'tls'),
    nbd: needed(line, 'nbd', 'serve needs --nbd SOCK: where does QEMU find the disk?'),
    name,
    control: control(line, 'serve'),
    metrics: metrics === undefined ? undefined : readMetricsAddress('--metrics', metrics),
    afterSplitBrain,
    acknowledgeFromMemory: line.values.has('ack-from-memory'),
    deadAfter,
    arbiter: arbiter(line),
    stateFile: lastValue(line, 'state-file'),
    lease: lease(line),
    json: line.values.has('json'),
  }
}

function ask(
  line: CommandLine,
  words: readonly string[],
  verb: Exclude<Verb, 'probe' | 'create' | 'serve' | 'pairs'>,
): Command {
  const has = (name: OptionName) => line.values.has(name)
  const asked: Asked = { control: control(line, verb), json: has('json'), timeout: time(line, 'timeout') }
  const [word, ...more] = words
  if (more.length > 0 || (word !== undefined && verb !== 'checkpoint'))
    throw new UsageError(`${verb} takes options only, but was given '${more[0] ?? word}'`)
  switch (verb) {
    case 'status':
      return { ...asked, kind: verb, watch: has('watch') }
    case 'checkpoint':
      if (word !== undefined && word !== 'on' && word !== 'off')
        throw new UsageError(`checkpoint takes on, off or nothing, not '${word}'`)
      return { ...asked, kind: verb, switch: word }
    case 'promote':
      return {
        ...{ ...asked, kind: verb, two: has('two'), force: has('force'), number: promotion(line) },
        forceLease: forceLease(line),
      }
    case 'alone':
      return { ...asked, kind: verb }
    case 'demote':
      return { ...asked, kind: verb, force: has('force') }
    case 'resync':
      return { ...asked, kind: verb, discard: has('discard') }
  }
}

function pairs(line: CommandLine, words: readonly string[]): PairsCommand {
  if (words.length > 0) throw new UsageError(`pairs takes options only, but was given '${words[0]}'`)
  return {
    kind: 'pairs',
    ...readEtcdChoice(line, 'pairs'),
    json: line.values.has('json'),
    timeout: time(line, 'timeout'),
  }
}

/** The lease under which a node is Primary. */
function lease(line: CommandLine): ServeCommand['lease'] {
  const choice = readLeaseChoice(line)
  const given = lastValue(line, 'node')
  if (choice === undefined) {
    if (given !== undefined) throw new UsageError('--node needs --lease NAME')
    return undefined
  }
  if (line.values.has('arbiter')) throw new UsageError('--lease is an arbiter itself: leave --arbiter out')
  const node = given ?? hostname()
  if (!isLeaseName(node))
    throw new UsageError(`--node takes a name of letters, digits, '.', '_' and '-', not '${node}'`)
  return { ...choice, node }
}

function forceLease(line: CommandLine): string | undefined {
  const reason = lastValue(line, 'force-lease')
  if (reason === undefined) return undefined
  if (['two', 'force', 'number'].some(name => line.values.has(name as OptionName)))
    throw new UsageError('--force-lease goes with none of --two, --force and --number')
  if (reason.trim() === '' || reason.length > reasonAtMost)
    throw new UsageError(`--force-lease takes a reason of 1 to ${reasonAtMost} characters`)
  return reason
}

/** A program that a search path may find elsewhere is not run. */
function arbiter(line: CommandLine): string | undefined {
  const path = lastValue(line, 'arbiter')
  if (path !== undefined && !isAbsolute(path)) throw new UsageError(`--arbiter takes an absolute path, not '${path}'`)
  return path
}

function promotion(line: CommandLine): number | undefined {
  const text = lastValue(line, 'number')
  if (text === undefined) return undefined
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || number > highestPromotion)
    throw new UsageError(`--number takes a whole number from 1 to ${highestPromotion}, not '${text}'`)
  return number
}

const control = (line: CommandLine, verb: Verb): string =>
  needed(line, 'control', `${verb} needs --control SOCK: over which socket is the node controlled?`)

function needed(line: CommandLine, name: OptionName, otherwise: string): string {
  const text = lastValue(line, name)
  if (text === undefined || text === '') throw new UsageError(otherwise)
  return text
}

function time(line: CommandLine, name: 'timeout' | 'dead-after'): number | undefined {
  const text = lastValue(line, name)
  return text === undefined ? undefined : readTime(`--${name}`, text)
}

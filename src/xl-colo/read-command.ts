import { parseBytes } from '../amounts.js'
import { type CommandLine as GivenOptions, lastValue, readCommandLine } from '../command-line/command-line.js'
import { readCommonCommand } from '../command-line/common-command.js'
import { readPageChoice } from '../command-line/page-choice.js'
import { readMetricsAddress, readSocket, readTime } from '../command-line/read-value.js'
import { UsageError } from '../command-line/usage-error.js'
import { readVerb, refuseStrayOptions } from '../command-line/verb.js'
import type {
  BothEnds,
  Command,
  Ends,
  FailoverCommand,
  PrepareCommand,
  StartCommand,
  StatusCommand,
} from './command.js'
import { type OptionName, options } from './option-table.js'
import { readEpoch, readFolders, readListen, readNumber, readSockets, readSpeed, readTls } from './read-value.js'
import { type Verb, verbNames, verbs } from './verbs.js'

type CommandLine = GivenOptions<OptionName>

export function readCommand(args: readonly string[]): Command {
  const line = readCommandLine(args, options, { plainWord: 'word' })
  const common = readCommonCommand(line.values)
  if (common !== undefined) return common
  const [word, ...words] = line.words
  const verb = readVerb(word, verbNames)
  refuseStrayOptions(line, options, verb)
  if (verb !== 'prepare' && words.length > 0)
    throw new UsageError(`${verb} takes options only, but was given '${words[0]}'`)
  const json = line.values.has('json')
  switch (verb) {
    case 'prepare':
      return { kind: verb, json, ...prepareWords(words) }
    case 'start':
    case 'reprotect':
      return startCommand(line, verb, json)
    case 'status':
      return statusCommand(line, json)
    case 'failover':
      return failoverCommand(line, json)
    case 'checkpoint':
    case 'stop':
      return { kind: verb, json, ends: bothEnds(line, verb) }
  }
}

function startCommand(line: CommandLine, verb: Verb, json: boolean): StartCommand {
  const { values } = line
  const every = read(line, 'every', readTime)
  const listen = read(line, 'listen', readListen)
  if (listen === undefined)
    throw new UsageError(`${verb} needs --listen HOST:PORT: where does the secondary listen for the primary?`)
  if (values.has('stop-on-exit') && every === undefined)
    throw new UsageError('--stop-on-exit is for --every only: without it there is nothing that goes on')
  if (values.has('metrics') && every === undefined)
    throw new UsageError('--metrics is for --every only: without it there is nothing that goes on')
  const page = readPageChoice(name => lastValue(line, name))
  if (page !== undefined && every === undefined)
    throw new UsageError('--page is for --every only: without it there is nothing that goes on')
  if (values.has('equal') && values.has('speed'))
    throw new UsageError('--speed has no meaning with --equal: nothing is copied')
  return {
    kind: 'start',
    ends: bothEnds(line, verb),
    json,
    listen,
    epoch: read(line, 'epoch', readEpoch),
    every,
    stopOnExit: values.has('stop-on-exit'),
    metrics: read(line, 'metrics', readMetricsAddress),
    page,
    equal: values.has('equal'),
    speed: read(line, 'speed', readSpeed),
    plainNbd: values.has('plain-nbd'),
    tls: read(line, 'tls', readTls),
    overlays: read(line, 'overlays', filled),
  }
}

function statusCommand(line: CommandLine, json: boolean): StatusCommand {
  const domid = read(line, 'domid', (option, text) => readNumber(option, text, 0, lastDomid))
  const qmp = read(line, 'qmp', readSocket)
  const ends = someEnds(line)
  if (qmp !== undefined && domid === undefined)
    throw new UsageError('--qmp is for --domid only: write --primary or --secondary for a QEMU of no domain')
  const sides = [ends.primary, ends.secondary, domid].filter(side => side !== undefined).length
  if (sides === 0) throw new UsageError('status needs --primary SOCK, --secondary SOCK or --domid N: which QEMU?')
  if (sides > 2) throw new UsageError('status takes two of --primary, --secondary and --domid: a pair has two sides')
  const domain = domid === undefined ? undefined : { domid, qmp }
  return { kind: 'status', ends, json, domain, watch: line.values.has('watch'), graph: line.values.has('graph') }
}

function failoverCommand(line: CommandLine, json: boolean): FailoverCommand {
  const ends = someEnds(line)
  const { secondary } = ends
  if (secondary === undefined) throw new UsageError('failover needs --secondary SOCK: who is to take over?')
  const force = read(line, 'force', (option, text) => {
    if (text.trim() === '') throw new UsageError(`${option} takes the reason, which is recorded`)
    return text
  })
  const epoch = read(line, 'epoch', readEpoch)
  return { kind: 'failover', ends: { ...ends, secondary }, json, epoch, force, resume: line.values.has('resume') }
}

/** The highest number of a domain (below DOMID_FIRST_RESERVED of Xen's public headers). */
const lastDomid = 0x7fef

function someEnds(line: CommandLine): Ends {
  const disks = line.values.get('disk') ?? []
  const again = disks.find((name, index) => disks.indexOf(name) !== index)
  if (again !== undefined) throw new UsageError(`--disk names '${again}' twice`)
  if (disks.includes('')) throw new UsageError("--disk takes a disk's name: its colo-export")
  return {
    primary: read(line, 'primary', readSockets),
    secondary: read(line, 'secondary', readSockets),
    disks,
    records: read(line, 'records', readFolders),
    timeout: read(line, 'timeout', readTime) ?? 10_000,
  }
}

function bothEnds(line: CommandLine, verb: Verb): BothEnds {
  const { primary, secondary, ...rest } = someEnds(line)
  if (primary === undefined) throw new UsageError(`${verb} needs --primary SOCK: the QEMU whose guest runs`)
  if (secondary === undefined) throw new UsageError(`${verb} needs --secondary SOCK: the QEMU that follows`)
  return { primary, secondary, ...rest }
}

function prepareWords(words: readonly string[]): Pick<PrepareCommand, 'size' | 'active' | 'hidden'> {
  const [what = '', active = '', hidden = '', ...more] = words
  if (active === '' || hidden === '' || what === '' || more.length > 0)
    throw new UsageError(`prepare takes three words, not ${words.length}:${verbs.prepare.words}`)
  return { size: parseBytes(what) ?? readImage(what), active, hidden }
}

/** Digits alone are a size; ./512 is a file. */
function readImage(text: string): { image: string; format: 'raw' | 'qcow2' } {
  if (/^[0-9]+[A-Za-z]?$/.test(text))
    throw new UsageError(`prepare takes a size such as 512M or 20G, or an image's path, not '${text}'`)
  const [, image, format] = /^(.+):(raw|qcow2)$/s.exec(text) ?? []
  if (image !== undefined) return { image, format: format as 'raw' | 'qcow2' }
  return { image: text, format: text.endsWith('.qcow2') ? 'qcow2' : 'raw' }
}

function filled(option: string, text: string): string {
  if (text === '') throw new UsageError(`${option} takes a folder`)
  return text
}

function read<T>(line: CommandLine, name: OptionName, reader: (option: string, text: string) => T): T | undefined {
  const text = lastValue(line, name)
  return text === undefined ? undefined : reader(`--${name}`, text)
}

import { resolve } from 'node:path'
import { type CommandLine as GivenOptions, lastValue, readCommandLine } from '../command-line/command-line.js'
import { readCommonCommand } from '../command-line/common-command.js'
import { readMetricsAddress, readTime } from '../command-line/read-value.js'
import { UsageError } from '../command-line/usage-error.js'
import { readVerb, refuseStrayOptions } from '../command-line/verb.js'
import type { SocketAddress } from '../link/node/socket-address.js'
import { type HubRight, hubRights } from '../replication/config/hub-rights.js'
import type { Asked } from '../replication-command/ask.js'
import { ownName } from '../replication-command/own-name.js'
import { filled, readAddresses, readName, readTimeout, readWords } from '../replication-command/read-value.js'
import type { Command, HeaderCommand, ProtectCommand, ProtectedDisks, ServeCommand } from './command.js'
import { controlIn, usualNode, usualRun, usualState } from './defaults.js'
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
  if (verb === 'serve') return serve(line, words)
  if (verb === 'protect') return protect(line, words)
  if (verb === 'header') return header(line, words)
  return ask(line, words, verb)
}

function serve(line: CommandLine, words: readonly string[]): ServeCommand {
  readWords('serve', words, verbs.serve.words, 0)
  const config = filled(line, 'config')
  if (config === undefined) throw new UsageError("serve needs --config FILE; 'protect' does without one, for one group")
  const json = line.values.has('json')
  const stateFiles = filled(line, 'state-files')
  return { kind: 'serve', config, control: filled(line, 'control'), metrics: readMetrics(line), stateFiles, json }
}

function protect(line: CommandLine, words: readonly string[]): ProtectCommand {
  readWords('protect', words, verbs.protect.words, 2, Number.POSITIVE_INFINITY)
  const [group = '', ...disks] = words
  const hub = filled(line, 'hub')
  if (hub === undefined) throw new UsageError('protect needs --hub ADDR: where do the copies go?')
  const run = filled(line, 'run') ?? usualRun
  const name = lastValue(line, 'name')
  return {
    kind: 'protect',
    group: readName('GROUP', group),
    protected: readProtected(line, disks),
    hubMay: readRights(line),
    target: readTimeText(line, 'target'),
    hub: readAddresses('--hub', hub),
    name: name === undefined ? ownName('agent') : readName('--name', name),
    state: resolve(filled(line, 'state') ?? usualState),
    // what QEMU is told has to be true in every folder
    run: resolve(run),
    tls: filled(line, 'tls'),
    control: filled(line, 'control') ?? controlIn(run),
    metrics: readMetrics(line),
    stateFiles: filled(line, 'state-files'),
    json: line.values.has('json'),
  }
}

function readMetrics(line: CommandLine): SocketAddress | undefined {
  const text = lastValue(line, 'metrics')
  return text === undefined ? undefined : readMetricsAddress('--metrics', text)
}

function readProtected(line: CommandLine, words: readonly string[]): ProtectedDisks {
  const qmp = filled(line, 'qmp')
  const every = readTimeText(line, 'every')
  if (qmp !== undefined) {
    if (line.values.has('qcow2')) throw new UsageError('--qcow2 has no meaning with --qmp: QEMU has the images')
    const disks = readDisks(words, 'protect takes disks as DISK=NODE with --qmp, such as root=drive0', node => ({
      node,
    }))
    return { way: 'cycles', qmp: resolve(qmp), every, disks }
  }
  if (every !== undefined) throw new UsageError('--every is for cycles, with --qmp: inline, each write is sent')
  const format = line.values.has('qcow2') ? 'qcow2' : 'raw'
  const shape = 'protect takes disks as DISK=IMAGE, such as root=/srv/web.img'
  return { way: 'inline', disks: readDisks(words, shape, image => ({ image: resolve(image), format })) }
}

/** `DISK=` and what it is, once for each disk. */
function readDisks<Disk>(words: readonly string[], shape: string, read: (what: string) => Disk): Record<string, Disk> {
  const disks = new Map<string, Disk>()
  for (const word of words) {
    const equals = word.indexOf('=')
    const what = word.slice(equals + 1)
    if (equals < 0 || what === '') throw new UsageError(`${shape}, not '${word}'`)
    const disk = readName('DISK', word.slice(0, equals))
    if (disks.has(disk)) throw new UsageError(`there are two disks ${disk}`)
    disks.set(disk, read(what))
  }
  return Object.fromEntries(disks)
}

function readRights(line: CommandLine): HubRight[] | undefined {
  const given = line.values.get('hub-may')
  if (given === undefined) return undefined
  const rights = hubRights.filter(right => given.includes(right))
  if (given.includes('none') && rights.length > 0)
    throw new UsageError(`--hub-may is none and ${rights.join(', ')}: write one or the other`)
  return rights
}

/** A time, as it was written. */
function readTimeText(line: CommandLine, name: 'every' | 'target'): string | undefined {
  const text = lastValue(line, name)
  if (text !== undefined) readTime(`--${name}`, text)
  return text
}

/** Files' names may be anything; what a node may be called, QEMU says. */
function header(line: CommandLine, words: readonly string[]): HeaderCommand {
  readWords('header', words, verbs.header.words, 2, 3)
  const [image = '', header = '', node = usualNode] = words
  if (image === '' || header === '') throw new UsageError('header takes the names of two files, and one is empty')
  return { kind: 'header', image, header, node, json: line.values.has('json') }
}

function ask(
  line: CommandLine,
  words: readonly string[],
  verb: Exclude<Verb, 'serve' | 'protect' | 'header'>,
): Command {
  const asked: Asked = {
    control: filled(line, 'control') ?? controlIn(usualRun),
    json: line.values.has('json'),
    timeout: readTimeout(lastValue(line, 'timeout')),
  }
  const shape = verbs[verb].words
  const [group, name = ''] = words
  switch (verb) {
    case 'status':
      readWords(verb, words, shape, 0, 1)
      return {
        ...asked,
        kind: verb,
        group: group === undefined ? undefined : readName('GROUP', group),
        watch: line.values.has('watch'),
      }
    case 'checkpoint':
      readWords(verb, words, shape, 2)
      return { ...asked, kind: verb, group: readName('GROUP', group!), name: readName('NAME', name) }
    default:
      readWords(verb, words, shape, 1)
      return { ...asked, kind: verb, group: readName('GROUP', group!) }
  }
}

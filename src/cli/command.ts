import { type CommandLine as GivenOptions, lastValue, readCommandLine } from '../command-line/command-line.js'
import { UsageError } from '../command-line/usage-error.js'
import type { Dialect } from '../dm-args/dialect.js'
import { isRunFolder } from '../dm-args/protect/protect-disk.js'
import { defaultRun } from '../replication/inline-export.js'
import { isName, nameRule } from '../replication/name.js'
import { type OptionName, options } from './option-table.js'
import { readHub } from './protect/read-hub.js'

type CommandLine = GivenOptions<OptionName>

export type OutputForm = 'json' | 'spec' | 'xenstore' | 'argv' | 'blockdev' | 'graph' | 'graph-dot' | 'agent'
export type Shell = 'bash' | 'zsh' | 'fish'

/** What was said of the guest; what was not may come from its configuration file. */
export interface GuestOptions {
  domid: number
  domainType: 'pv' | 'pvh' | 'hvm' | undefined
  hdtype: 'ide' | 'ahci' | undefined
  stubdom: boolean | undefined
  coloRestore: boolean
  /** Domains by their names. */
  domains: ReadonlyMap<string, number>
}

export type DiskSource = { kind: 'words'; words: readonly string[] } | { kind: 'config'; path: string }

export interface DisksCommand {
  kind: 'disks'
  source: DiskSource
  output: OutputForm
  guest: GuestOptions
  offline: boolean
  strict: boolean
  diagnostics: 'text' | 'json'
  argv: ArgvOptions
  /** A replication agent is to serve the disks. */
  protect: ProtectCommand | undefined
}

export interface ProtectCommand {
  /** HOST:PORT or a socket's path, as an agent's configuration has it. */
  hub: string
  /** What the configuration file's name stands in for. */
  group: string | undefined
  run: string
}

/** How arguments are written. */
export interface ArgvOptions {
  dialect: Dialect | undefined
  libxlExact: boolean
  /** What ends an argument. */
  end: '\n' | '\0'
}

export interface BatchCommand {
  kind: 'batch'
  /** The byte that ends a spec. */
  separator: number
  strict: boolean
}

/** Attaches disks to a running domain. */
export interface ApplyCommand extends Omit<DisksCommand, 'kind' | 'output' | 'argv' | 'protect'> {
  kind: 'apply'
  output: 'text' | 'json'
  /** Into an embedded store in the place of the daemon's. */
  dryRun: boolean
  libxlExact: boolean
}

/** Lists the disks of a running domain. */
export interface ListCommand {
  kind: 'list'
  domid: number
  output: 'json' | 'spec'
  libxlExact: boolean
}

/** What the command is asked to do. */
export type Command =
  | DisksCommand
  | BatchCommand
  | ApplyCommand
  | ListCommand
  | { kind: 'help' }
  | { kind: 'version' }
  | { kind: 'completion'; shell: Shell }

/** The highest number of a domain (below DOMID_FIRST_RESERVED of Xen's public headers). */
const lastDomid = 0x7fef

export function readCommand(args: readonly string[]): Command {
  const line = readCommandLine(args, options, { plainWord: 'SPEC' })
  const { values } = line
  if (values.has('help')) return { kind: 'help' }
  if (values.has('version')) return { kind: 'version' }
  if (values.has('completion')) return { kind: 'completion', shell: lastValue(line, 'completion') as Shell }
  if (values.has('batch')) return batchCommand(line)
  if (values.has('list')) return listCommand(line)
  if (values.has('apply')) return applyCommand(line)
  return disksCommand(line)
}

function disksCommand(line: CommandLine): DisksCommand {
  const output = (lastValue(line, 'output') ?? 'json') as OutputForm
  const only = (name: OptionName, forms: readonly OutputForm[], modes: string) => {
    if (line.values.has(name) && !forms.includes(output)) throw new UsageError(`--${name} is for ${modes} only`)
  }
  only('dry-run', [], '--apply')
  only('libxl-exact', ['argv'], '-o argv, --list and --apply')
  only('dialect', ['argv'], '-o argv')
  only('null', ['argv', 'blockdev'], '--batch, -o argv and -o blockdev')
  const argv: ArgvOptions = {
    dialect: lastValue(line, 'dialect') as Dialect | undefined,
    libxlExact: line.values.has('libxl-exact'),
    end: line.values.has('null') ? '\0' : '\n',
  }
  return { kind: 'disks', output, argv, protect: protectCommand(line, output), ...commonOptions(line) }
}

function protectCommand(line: CommandLine, output: OutputForm): ProtectCommand | undefined {
  const hub = lastValue(line, 'protect')
  if (hub === undefined) {
    const stray = (['group', 'run'] as const).find(name => line.values.has(name))
    if (stray !== undefined) throw new UsageError(`--${stray} is for --protect only`)
    if (output === 'agent') throw new UsageError('--output agent is for --protect HUB only: to which hub?')
    return undefined
  }
  const group = lastValue(line, 'group')
  if (group !== undefined && !isName(group)) throw new UsageError(`--group takes ${nameRule}, not '${group}'`)
  if (group === undefined && !line.values.has('config'))
    throw new UsageError('--protect needs --group NAME: what is the group called on the hub?')
  const run = lastValue(line, 'run') ?? defaultRun
  if (!isRunFolder(run)) throw new UsageError(`--run takes an absolute path, not '${run}'`)
  return { hub: readHub(hub), group, run }
}

const commonOptions = (line: CommandLine): Omit<DisksCommand, 'kind' | 'output' | 'argv' | 'protect'> => ({
  source: diskSource(line),
  guest: guestOptions(line),
  offline: line.values.has('offline'),
  strict: line.values.has('strict'),
  diagnostics: (lastValue(line, 'diagnostics') ?? 'text') as 'text' | 'json',
})

function applyCommand(line: CommandLine): ApplyCommand {
  const { values } = line
  refuseOthers(line, '--apply', [
    'apply',
    'config',
    'diagnostics',
    'domain',
    'domain-type',
    'domid',
    'dry-run',
    'libxl-exact',
    'offline',
    'output',
    'strict',
  ])
  const dryRun = values.has('dry-run')
  if (values.has('offline') && !dryRun)
    throw new UsageError('--offline is for --apply --dry-run only: backends need their targets')
  if (values.has('domain') && !dryRun)
    throw new UsageError('--domain is for --apply --dry-run only: the running xenstore has the names of its domains')
  return {
    kind: 'apply',
    output: storeOutput(line, '--apply', ['json']) ?? 'text',
    dryRun,
    libxlExact: values.has('libxl-exact'),
    ...commonOptions(needDomid(line, '--apply')),
  }
}

function listCommand(line: CommandLine): ListCommand {
  refuseOthers(line, '--list', ['domid', 'libxl-exact', 'list', 'output'])
  if (line.words.length > 0) throw new UsageError(`--list takes no SPEC, but was given '${line.words[0]}'`)
  return {
    kind: 'list',
    domid: guestOptions(needDomid(line, '--list')).domid,
    output: storeOutput(line, '--list', ['json', 'spec']) ?? 'json',
    libxlExact: line.values.has('libxl-exact'),
  }
}

function needDomid(line: CommandLine, mode: string): CommandLine {
  if (!line.values.has('domid')) throw new UsageError(`${mode} needs --domid N: which domain?`)
  return line
}

function storeOutput<Form extends string>(line: CommandLine, mode: string, forms: readonly Form[]): Form | undefined {
  const form = lastValue(line, 'output')
  const known = forms.find(name => name === form)
  if (form !== undefined && known === undefined)
    throw new UsageError(`--output ${form} has no meaning with ${mode} (${forms.join(' or ')} has)`)
  return known
}

function refuseOthers({ values }: CommandLine, mode: string, allowed: readonly OptionName[]): void {
  const stray = [...values.keys()].find(name => !allowed.includes(name))
  if (stray !== undefined) throw new UsageError(`--${stray} has no meaning with ${mode}`)
}

function batchCommand(line: CommandLine): BatchCommand {
  const { values, words } = line
  refuseOthers(line, '--batch', ['batch', 'null', 'strict'])
  if (words.length > 0) throw new UsageError(`--batch reads its specs from standard input, but was given '${words[0]}'`)
  return { kind: 'batch', separator: values.has('null') ? 0 : 0x0a, strict: values.has('strict') }
}

function diskSource(line: CommandLine): DiskSource {
  const { values, words } = line
  const path = lastValue(line, 'config')
  if (path === undefined) {
    const other = values.has('apply') ? '' : ', nor --batch'
    if (words.length === 0) throw new UsageError(`no SPEC was given, nor --config FILE${other}`)
    return { kind: 'words', words }
  }
  if (words.length > 0)
    throw new UsageError(`--config reads its disks from the file, but there is the SPEC '${words[0]}'`)
  return { kind: 'config', path }
}

function guestOptions(line: CommandLine): GuestOptions {
  const domid = lastValue(line, 'domid')
  return {
    domid: domid === undefined ? 0 : readDomid(domid, '--domid'),
    domainType: lastValue(line, 'domain-type') as GuestOptions['domainType'],
    hdtype: lastValue(line, 'hdtype') as GuestOptions['hdtype'],
    stubdom: line.values.has('stubdom') ? true : undefined,
    coloRestore: lastValue(line, 'colo') === 'secondary',
    domains: new Map([['Domain-0', 0], ...(line.values.get('domain') ?? []).map(readDomain)]),
  }
}

function readDomain(text: string): [name: string, domid: number] {
  const at = text.lastIndexOf('=')
  if (at <= 0) throw new UsageError(`--domain takes NAME=DOMID, not '${text}'`)
  return [text.slice(0, at), readDomid(text.slice(at + 1), '--domain')]
}

function readDomid(text: string, option: string): number {
  const domid = /^[0-9]{1,5}$/.test(text) ? Number(text) : Infinity
  if (domid > lastDomid) throw new UsageError(`${option} takes a domain's number from 0 to ${lastDomid}, not '${text}'`)
  return domid
}

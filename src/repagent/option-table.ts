import { commonOptions } from '../command-line/common-options.js'
import type { CompletedOption } from '../command-line/completion/completed-command.js'
import { metricsOption } from '../command-line/metrics-option.js'
import type { Option } from '../command-line/option.js'
import { hubRights } from '../replication/config/hub-rights.js'
import { stateFilesOption } from '../replication-command/state-files-option.js'
import { controlIn, usualRun, usualState } from './defaults.js'
import type { Verb } from './verbs.js'

interface VerbOption extends CompletedOption {
  readonly of?: readonly Verb[]
}

const ofTimed = ['status', 'pause', 'resume', 'stop', 'start', 'hold', 'release', 'checkpoint'] as const
const ofControl = ['serve', 'protect', ...ofTimed] as const
const ofAnswers = ['serve', 'protect', 'status', 'checkpoint', 'header'] as const

const optionTable = [
  { name: 'config', takes: 'FILE', file: true, of: ['serve'], help: 'the configuration, in YAML' },
  {
    name: 'hub',
    takes: 'ADDR',
    of: ['protect'],
    help: 'where the hub is: HOST:PORT, or a path; ADDR,ADDR of hubs of which one serves',
  },
  {
    name: 'qmp',
    takes: 'SOCK',
    file: true,
    of: ['protect'],
    help: 'of a QEMU that runs: protect its disks by cycles, each DISK=NODE',
  },
  { name: 'every', takes: 'TIME', of: ['protect'], help: 'how often, by cycles (default: 1s)' },
  { name: 'target', takes: 'TIME', of: ['protect'], help: 'how far the hub may be behind (inline: 5s)' },
  {
    name: 'hub-may',
    takes: 'RIGHT',
    values: ['none', ...hubRights],
    repeated: true,
    of: ['protect'],
    help: 'what the hub may ask (default: control, fail-back)',
  },
  { name: 'qcow2', of: ['protect'], help: 'the images are qcow2 (default: raw, whatever they look like)' },
  { name: 'name', takes: 'NAME', of: ['protect'], help: "the agent's name (default: the machine's)" },
  {
    name: 'state',
    takes: 'DIR',
    file: true,
    of: ['protect'],
    help: `what must not be forgotten (default: ${usualState})`,
  },
  { name: 'run', takes: 'DIR', file: true, of: ['protect'], help: `for the disks' sockets (default: ${usualRun})` },
  { name: 'tls', takes: 'DIR', file: true, of: ['protect'], help: 'a folder with ca.pem, cert.pem and key.pem' },
  {
    name: 'control',
    takes: 'SOCK',
    file: true,
    of: ofControl,
    help: `the control socket (default: ${controlIn(usualRun)})`,
  },
  { ...metricsOption, of: ['serve', 'protect'] },
  { ...stateFilesOption, of: ['serve', 'protect'] },
  { name: 'watch', of: ['status'], help: 'look again each second, until interrupted' },
  { name: 'timeout', takes: 'TIME', of: ofTimed, help: 'how long it may take (default: 10s)' },
  { name: 'json', of: ofAnswers, help: 'write one JSON object a line' },
  ...commonOptions,
] as const satisfies readonly VerbOption[]

export type OptionName = (typeof optionTable)[number]['name']

/** Every option of the command: read by the parser, by --help and by --completion. */
export const options: readonly (VerbOption & Option<OptionName>)[] = optionTable

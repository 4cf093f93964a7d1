import { commonOptions } from '../command-line/common-options.js'
import type { CompletedOption } from '../command-line/completion/completed-command.js'
import { leaseOptions } from '../command-line/lease-options.js'
import { metricsOption } from '../command-line/metrics-option.js'
import type { Option } from '../command-line/option.js'
import { pageOptions } from '../command-line/page-options.js'
import { stateFilesOption } from '../replication-command/state-files-option.js'
import { usualControl } from './defaults.js'
import { forms } from './start-text.js'
import type { Verb } from './verbs.js'

interface VerbOption extends CompletedOption {
  readonly of?: readonly Verb[]
}

const ofBranches = ['test', 'failover'] as const
const ofTimed = [
  ...(['status', 'points', 'test', 'failover', 'arguments', 'read', 'write'] as const),
  ...(['commit', 'discard', 'failback', 'hold', 'release', 'checkpoint', 'pause', 'resume', 'stop', 'start'] as const),
] as const
const ofAnswers = [
  ...(['serve', 'status', 'points', 'test', 'failover', 'arguments', 'failback', 'checkpoint', 'hubs'] as const),
] as const

const [lease, etcd, etcdTls, leaseTtl] = leaseOptions

const optionTable = [
  { name: 'config', takes: 'FILE', file: true, of: ['serve'], help: 'the configuration, in YAML' },
  { name: 'data', takes: 'DIR', file: true, of: ['serve'], help: 'where the copies are' },
  { name: 'listen', takes: 'ADDR', of: ['serve'], help: 'where agents find it: HOST:PORT, or a path' },
  { name: 'nbd', takes: 'ADDR', of: ['serve'], help: 'where recovery guests find their disks' },
  { name: 'tls', takes: 'DIR', file: true, of: ['serve'], help: 'a folder with ca.pem, cert.pem and key.pem' },
  { name: 'take-over', of: ['serve'], help: 'take the data from another hub, be it alive or not' },
  { ...lease, of: ['serve'] },
  { ...etcd, of: ['serve', 'hubs'] },
  { ...etcdTls, of: ['serve', 'hubs'] },
  { ...leaseTtl, of: ['serve'] },
  { name: 'control', takes: 'SOCK', file: true, help: `the control socket (default: ${usualControl})` },
  { ...metricsOption, of: ['serve'] },
  { ...stateFilesOption, of: ['serve'] },
  ...pageOptions.map(option => ({ ...option, of: ['serve'] as const })),
  { name: 'page-control', of: ['serve'], help: 'let the page start and discard tests, nothing else' },
  { name: 'at', takes: 'WHEN', of: ofBranches, help: 'of this moment (default: the newest one)' },
  {
    name: 'branch',
    takes: 'NAME',
    of: [...ofBranches, 'read'],
    help: "the branch's name (default: one is made; of read: the agent's disk)",
  },
  {
    name: 'form',
    takes: 'FORM',
    values: forms,
    of: [...ofBranches, 'arguments'],
    help: 'how it is said: for people, for QEMU, for xl, for a program',
  },
  { name: 'offset', takes: 'BYTES', of: ['read', 'write'], help: 'where in the disk: 0, 512, 64K, 2G' },
  { name: 'length', takes: 'BYTES', of: ['read'], help: 'how much' },
  { name: 'force', of: ['read'], help: 'also to a terminal, which obeys what the disk has' },
  { name: 'every', takes: 'TIME', of: ['points'], help: 'also a moment for each so long: 10s' },
  { name: 'from', takes: 'WHEN', of: ['points'], help: 'none that is older' },
  { name: 'to', takes: 'WHEN', of: ['points'], help: 'none that is newer' },
  { name: 'agent', takes: 'NAME', of: ['failback'], help: 'to this agent (default: the one that had it)' },
  { name: 'now', of: ['failback'], help: 'do not wait for the recovery guest: end its disks when all is copied' },
  { name: 'watch', of: ['status'], help: 'look again each second, until interrupted' },
  {
    name: 'timeout',
    takes: 'TIME',
    of: ofTimed,
    help: 'how long it, or each MiB of it, may take (default: 10s; of changes and bytes: no limit)',
  },
  { name: 'json', of: ofAnswers, help: 'write one JSON object a line' },
  ...commonOptions,
] as const satisfies readonly VerbOption[]

export type OptionName = (typeof optionTable)[number]['name']

/** Every option of the command: read by the parser, by --help and by --completion. */
export const options: readonly (VerbOption & Option<OptionName>)[] = optionTable

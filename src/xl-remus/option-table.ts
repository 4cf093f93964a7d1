import { commonOptions } from '../command-line/common-options.js'
import type { CompletedOption } from '../command-line/completion/completed-command.js'
import { leaseOptions } from '../command-line/lease-options.js'
import { metricsOption } from '../command-line/metrics-option.js'
import type { Option } from '../command-line/option.js'
import type { Verb } from './verbs.js'

interface VerbOption extends CompletedOption {
  readonly of?: readonly Verb[]
}

const ofFiles = ['create', 'serve'] as const
const ofServed = ['serve', 'status', 'checkpoint', 'promote', 'alone', 'demote', 'resync'] as const
const ofAnswers = ['probe', 'serve', 'status', 'checkpoint', 'promote', 'alone', 'demote', 'resync', 'pairs'] as const
const ofTimed = ['probe', 'status', 'checkpoint', 'promote', 'alone', 'demote', 'resync', 'pairs'] as const
const [lease, etcd, etcdTls, leaseTtl] = leaseOptions

const optionTable = [
  {
    name: 'pair-file',
    takes: 'FILE',
    file: true,
    of: ofFiles,
    help: "a file with the pair's name, which lets a peer in",
  },
  { name: 'meta', takes: 'FILE', file: true, of: ofFiles, help: 'where the metadata is (default: DISK.meta)' },
  { name: 'log', takes: 'FILE', file: true, of: ofFiles, help: 'where received epochs are (default: DISK.epochs)' },
  { name: 'size', takes: 'BYTES', of: ['create'], help: 'make the disk too, so large: 20G' },
  { name: 'log-size', takes: 'BYTES', of: ['create'], help: 'of the log, the most that an epoch writes (default: 1G)' },
  { name: 'listen', takes: 'HOST:PORT', of: ['serve'], help: 'where the peer connects to' },
  { name: 'connect', takes: 'HOST:PORT', of: ['serve'], help: 'where the peer listens' },
  { name: 'tls', takes: 'DIR', file: true, of: ['serve'], help: 'a folder with ca.pem, cert.pem and key.pem' },
  { name: 'nbd', takes: 'SOCK', file: true, of: ['serve'], help: 'the NBD socket, for QEMU' },
  { name: 'name', takes: 'NAME', of: ['serve'], help: "the disk's name there (default: disk)" },
  { name: 'control', takes: 'SOCK', file: true, of: ofServed, help: 'the control socket' },
  { ...metricsOption, of: ['serve'] },
  {
    name: 'after-split-brain',
    takes: 'WHAT',
    values: ['disconnect', 'discard-secondary'],
    of: ['serve'],
    help: 'where both went on alone, and one is Primary (default: disconnect)',
  },
  { name: 'ack-from-memory', of: ['serve'], help: 'acknowledge checkpoints before they are durable' },
  { name: 'dead-after', takes: 'TIME', of: ['serve'], help: 'how long the peer may be silent (default: 6s)' },
  {
    name: 'arbiter',
    takes: 'PROGRAM',
    file: true,
    of: ['serve'],
    help: 'asked before a Primary goes on without its peer: its guest waits',
  },
  {
    name: 'state-file',
    takes: 'FILE',
    file: true,
    of: ['serve'],
    help: 'keep what a cluster manager asks about in a file',
  },
  { ...lease, of: ['serve'], help: 'be Primary while this lease is held, of a cluster of etcd' },
  { ...etcd, of: ['serve', 'pairs'] },
  { ...etcdTls, of: ['serve', 'pairs'] },
  { ...leaseTtl, of: ['serve'] },
  { name: 'node', takes: 'NAME', of: ['serve'], help: "what the node is called there (default: the host's name)" },
  { name: 'number', takes: 'N', of: ['promote'], help: 'of this promotion; a Primary of a smaller one is fenced' },
  { name: 'two', of: ['promote'], help: 'also beside a peer that is Primary: for a live migration' },
  {
    name: 'force',
    of: ['promote', 'demote'],
    help: 'promote data that is new, half a copy or old; demote with clients',
  },
  {
    name: 'force-lease',
    takes: 'REASON',
    of: ['promote'],
    help: 'under a lease: promote the node with what it has, once it has the lease',
  },
  { name: 'discard', of: ['resync'], help: 'what this node wrote alone does not count' },
  { name: 'watch', of: ['status'], help: 'look again each second, until interrupted' },
  { name: 'timeout', takes: 'TIME', of: ofTimed, help: 'how long it may take (default: 10s; of resync: no limit)' },
  { name: 'json', of: ofAnswers, help: 'write one JSON object a line' },
  ...commonOptions,
] as const satisfies readonly VerbOption[]

export type OptionName = (typeof optionTable)[number]['name']

/** Every option of the command: read by the parser, by --help and by --completion. */
export const options: readonly (VerbOption & Option<OptionName>)[] = optionTable

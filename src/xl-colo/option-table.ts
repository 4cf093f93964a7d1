import { commonOptions } from '../command-line/common-options.js'
import type { CompletedOption } from '../command-line/completion/completed-command.js'
import { metricsOption } from '../command-line/metrics-option.js'
import type { Option } from '../command-line/option.js'
import { pageOptions } from '../command-line/page-options.js'
import type { Verb } from './verbs.js'

interface VerbOption extends CompletedOption {
  readonly of?: readonly Verb[]
}

const protecting = ['start', 'reprotect'] as const
const onBothSides = [...protecting, 'status', 'checkpoint', 'failover', 'stop'] as const

const optionTable = [
  {
    name: 'primary',
    takes: 'SOCK[,SOCK2]',
    file: true,
    of: onBothSides,
    help: "the primary's QMP sockets; the second passes a blocked one",
  },
  { name: 'secondary', takes: 'SOCK[,SOCK2]', file: true, of: onBothSides, help: "the secondary's QMP sockets" },
  { name: 'listen', takes: 'HOST:PORT', of: protecting, help: 'where the secondary listens for the primary' },
  {
    name: 'disk',
    takes: 'NAME',
    repeated: true,
    of: onBothSides,
    help: 'only this disk; may be repeated (default: all that are found)',
  },
  { name: 'epoch', takes: 'N', of: [...protecting, 'failover'], help: 'the number of this protection or take-over' },
  { name: 'every', takes: 'TIME', of: protecting, help: 'stay, and take a checkpoint so often: 200ms, 2s' },
  { name: 'stop-on-exit', of: protecting, help: 'with --every: end the protection at SIGINT and SIGTERM' },
  { ...metricsOption, of: protecting, help: `with --every: ${metricsOption.help}` },
  ...pageOptions.map(option => ({ ...option, of: protecting })),
  { name: 'equal', of: protecting, help: 'disks of which nothing else is known are equal: copy nothing' },
  { name: 'speed', takes: 'BYTES', of: protecting, help: 'copy at most so much a second and disk: 50M' },
  { name: 'plain-nbd', of: protecting, help: "for a primary's QEMU without the replication driver" },
  { name: 'tls', takes: 'PRIMARY-ID,SECONDARY-ID', of: protecting, help: 'the tls-creds objects of the two QEMUs' },
  {
    name: 'overlays',
    takes: 'DIR',
    file: true,
    of: protecting,
    help: 'where overlays are made for a secondary that was a primary',
  },
  { name: 'records', takes: 'DIR[,DIR2]', file: true, of: onBothSides, help: "where both sides' records are kept" },
  { name: 'force', takes: 'REASON', of: ['failover'], help: 'take over also what is outdated or unknown' },
  { name: 'resume', of: ['failover'], help: 'let the guest go on afterwards' },
  { name: 'domid', takes: 'N', of: ['status'], help: 'one side is the QEMU of this Xen domain' },
  { name: 'qmp', takes: 'SOCK', file: true, of: ['status'], help: "the socket of that domain's QEMU" },
  { name: 'watch', of: ['status'], help: 'look again each second, until interrupted' },
  { name: 'graph', of: ['status'], help: "draw both sides' block graphs" },
  { name: 'timeout', takes: 'TIME', of: onBothSides, help: 'for a single command of QEMU (default: 10s)' },
  { name: 'json', help: 'write one JSON object a line' },
  ...commonOptions,
] as const satisfies readonly VerbOption[]

export type OptionName = (typeof optionTable)[number]['name']

/** Every option of the command: read by the parser, by --help and by --completion. */
export const options: readonly (VerbOption & Option<OptionName>)[] = optionTable

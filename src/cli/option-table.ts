import { commonOptions } from '../command-line/common-options.js'
import type { Option } from '../command-line/option.js'
import { dialects } from '../dm-args/dialect.js'
import { defaultRun } from '../replication/inline-export.js'

const optionTable = [
  {
    name: 'config',
    takes: 'FILE',
    file: true,
    help: "read every disk of an xl domain configuration file, '-' for stdin",
  },
  { name: 'batch', help: 'read a spec a line on stdin, write one JSON object a line' },
  {
    name: 'null',
    short: '0',
    help: 'NUL, no line feed, ends a spec or an argument',
  },
  { name: 'apply', help: 'attach the disks to a running domain, all or none' },
  { name: 'dry-run', help: 'with --apply: into a store of its own, which is then shown' },
  { name: 'list', help: "list a domain's disks from the running xenstore" },
  { name: 'protect', takes: 'HUB', help: 'let a replication agent serve the disks; HUB is HOST:PORT or a path' },
  { name: 'group', takes: 'NAME', help: "with --protect: the disks' group (default: the file's name=)" },
  { name: 'run', takes: 'DIR', file: true, help: `with --protect: the agent's sockets (default: ${defaultRun})` },
  { name: 'libxl-exact', help: 'argv, --apply, --list: as libxl does it, see docs/departures.md' },
  {
    name: 'output',
    short: 'o',
    takes: 'FORM',
    values: ['json', 'spec', 'xenstore', 'argv', 'blockdev', 'graph', 'graph-dot', 'agent'],
    help: 'what to write (default: json)',
  },
  { name: 'domid', takes: 'N', help: "the guest's domain (default: 0)" },
  {
    name: 'domain-type',
    takes: 'TYPE',
    values: ['pv', 'pvh', 'hvm'],
    help: "the guest's type (default: hvm; with --config pv)",
  },
  {
    name: 'hdtype',
    takes: 'TYPE',
    values: ['ide', 'ahci'],
    help: "the controller of the guest's disks (default: ide)",
  },
  {
    name: 'colo',
    takes: 'ROLE',
    values: ['primary', 'secondary'],
    help: "the guest's role in a COLO pair (default: primary)",
  },
  {
    name: 'dialect',
    takes: 'RELEASE',
    values: dialects,
    help: 'the Xen release whose argv is wanted (default: 4.17)',
  },
  { name: 'stubdom', help: 'QEMU runs in a stub domain' },
  { name: 'domain', takes: 'NAME=DOMID', help: 'a domain that backend=NAME means; may be repeated' },
  { name: 'offline', help: 'do not look at targets: /dev/… is a block device, the rest files' },
  { name: 'strict', help: 'refuse what libxl accepts and the user regrets' },
  { name: 'diagnostics', takes: 'FORM', values: ['text', 'json'], help: 'how to write diagnostics (default: text)' },
  ...commonOptions,
] as const satisfies readonly Option[]

export type OptionName = (typeof optionTable)[number]['name']

/** Every option of the command: read by the parser, by --help and by --completion. */
export const options: readonly Option<OptionName>[] = optionTable

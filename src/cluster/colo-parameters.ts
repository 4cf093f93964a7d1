import { parseTime } from '../amounts.js'
import type { OcfEnvironment } from './ocf-environment.js'
import { OcfFailure } from './ocf-failure.js'
import type { Parameter } from './parameter.js'

/** The parameters of `ocf:xenlight:colo`. */
export const coloParameters: readonly Parameter[] = [
  {
    ...{ name: 'qemu', type: 'string', isRequired: true },
    short: "A program that starts the guest's QEMU",
    long: `A program on both nodes that runs this guest's QEMU in the foreground (by exec), with a COLO primary's disks
(xl-disk-parse -o argv), and appends the arguments that it is given: -S and five monitors.`,
  },
  {
    ...{ name: 'nodes', type: 'string', isRequired: true },
    short: 'The two nodes, and where they speak to each other',
    long: `NODE=HOST:PORT NODE=HOST:PORT: the names of the nodes in the cluster, and the addresses for the replication. Each node listens at
its address, and with QEMU's NBD server at the next port. The network has to be trusted: what goes over it is not encrypted.`,
  },
  {
    ...{ name: 'pair_file', type: 'string', isRequired: true },
    short: "A file with the pair's name",
    long: 'One line that nobody guesses, the same on both nodes: it lets the peer in.',
  },
  {
    ...{ name: 'overlays', type: 'string', isRequired: true, isUnique: true },
    short: 'A folder for overlays',
    long: "A folder on each node, on a disk: there a secondary's overlays are made, which grow by what is written between two checkpoints.",
  },
  {
    ...{ name: 'records', type: 'string', isUnique: true },
    short: 'A folder for what is known of the disks',
    long: 'A folder on each node, on a disk. By default /var/lib/xenlight/colo/RESOURCE.',
  },
  {
    ...{ name: 'every', type: 'time', default: '1s' },
    short: 'Between two checkpoints',
    long: 'How often a checkpoint is taken: what the guest wrote since the last one is lost in a take-over.',
  },
]

/** The shortest time between two checkpoints, and the longest, in milliseconds. */
const [shortest, longest] = [20, 3_600_000]

/** @returns milliseconds @throws OcfFailure notConfigured */
export function everyOf({ parameters: { every = '' } }: OcfEnvironment): number {
  // OCF's times may have no unit: seconds
  const time = parseTime(/^\d+$/.test(every) ? `${every}s` : every)
  if (time === undefined || time < shortest || time > longest)
    throw new OcfFailure('notConfigured', `every is no time from 20ms to 1h, such as 500ms or 2s: ${every}`)
  return time
}

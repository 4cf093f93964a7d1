import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'

/**
 * Exports a device or a node to NBD clients, named as it is unless `name` says otherwise. Deprecated since QEMU 5.2 for
 * `block-export-add`, which tells whether it can be written: this one succeeds, and exports a read-only disk read-only.
 */
export const nbdServerAdd = {
  name: 'nbd-server-add',
  takes: takes<{
    /** A drive's id, or a node-name. */
    device: string
    name?: string
    writable?: boolean
    /** A dirty bitmap that clients may read. */
    bitmap?: string
  }>(),
  reply: nothing,
} satisfies QmpCommand

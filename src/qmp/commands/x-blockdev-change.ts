import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'

/**
 * Adds a node to a quorum as a child, or removes a child by its name there (`children.1`). It drains the quorum, so that a
 * child whose other end is silent blocks it, and the monitor with it.
 */
export const blockdevChange = {
  name: 'x-blockdev-change',
  takes: takes<{ parent: string; node: string } | { parent: string; child: string }>(),
  reply: nothing,
} satisfies QmpCommand

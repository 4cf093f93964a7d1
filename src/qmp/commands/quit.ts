import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'

/** Ends QEMU in order: its images are closed. */
export const quit = { name: 'quit', takes: takes(), reply: nothing } satisfies QmpCommand

import { type QmpCommand, takes } from '../command.js'
import { list, object, text } from '../reply.js'

/** The names of the commands that this QEMU has: a small answer, where the schema is a large one. */
export const queryCommands = {
  name: 'query-commands',
  takes: takes(),
  reply: value => list(value, 'the commands', element => text(object(element, 'a command'), 'name')),
} satisfies QmpCommand

import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'

/** Sets a property of an object, such as the node that a disk's device stands on (`drive`). */
export const qomSet = {
  name: 'qom-set',
  takes: takes<{ path: string; property: string; value: unknown }>(),
  reply: nothing,
} satisfies QmpCommand

import { type QmpCommand, takes } from '../command.js'
import { list, nothing, object, optionalText, text } from '../reply.js'

/** A connection of QEMU's that can be cut: an NBD client's node, a character device, the migration. */
export type YankInstance =
  | { type: 'block-node'; 'node-name': string }
  | { type: 'chardev'; id: string }
  | { type: 'migration' }

/** Cuts connections as if the network had: what waits for them fails at once. Send it out of band. */
export const yank = {
  name: 'yank',
  takes: takes<{ instances: readonly YankInstance[] }>(),
  reply: nothing,
} satisfies QmpCommand

/** What can be cut. */
export const queryYank = {
  name: 'query-yank',
  takes: takes(),
  reply: value =>
    list(value, 'the instances', element => {
      const instance = object(element, 'an instance')
      return {
        type: text(instance, 'type'),
        nodeName: optionalText(instance, 'node-name'),
        id: optionalText(instance, 'id'),
      }
    }),
} satisfies QmpCommand

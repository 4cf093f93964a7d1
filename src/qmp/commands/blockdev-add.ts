import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'

/** What a node is made of; each driver has keys of its own. */
export interface BlockdevOptions {
  driver: string
  /** At most 31 characters. */
  'node-name': string
  [key: string]: unknown
}

/** Adds a node to the block graph. */
export const blockdevAdd = {
  name: 'blockdev-add',
  takes: takes<BlockdevOptions>(),
  reply: nothing,
} satisfies QmpCommand

/** Removes a node that nothing stands on. */
export const blockdevDel = {
  name: 'blockdev-del',
  takes: takes<{ 'node-name': string }>(),
  reply: nothing,
} satisfies QmpCommand

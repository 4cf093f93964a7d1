import { type QmpCommand, takes } from '../command.js'
import { flag, list, nothing, object, text } from '../reply.js'

/** Exports a node to NBD clients. */
export const blockExportAdd = {
  name: 'block-export-add',
  takes: takes<{
    type: 'nbd'
    id: string
    'node-name': string
    /** What clients call it. */
    name: string
    writable?: boolean
    /** The dirty bitmaps that clients may read. */
    bitmaps?: readonly string[]
  }>(),
  reply: nothing,
} satisfies QmpCommand

/** Ends an export; `hard` ends its clients' connections too. */
export const blockExportDel = {
  name: 'block-export-del',
  takes: takes<{ id: string; mode?: 'safe' | 'hard' }>(),
  reply: nothing,
} satisfies QmpCommand

export interface BlockExport {
  id: string
  type: string
  nodeName: string
  /** Whether it is about to end. */
  shuttingDown: boolean
}

export const queryBlockExports = {
  name: 'query-block-exports',
  takes: takes(),
  reply: value =>
    list(value, 'the exports', (element): BlockExport => {
      const entry = object(element, 'an export')
      return {
        id: text(entry, 'id'),
        type: text(entry, 'type'),
        nodeName: text(entry, 'node-name'),
        shuttingDown: flag(entry, 'shutting-down'),
      }
    }),
} satisfies QmpCommand

import { type QmpCommand, takes } from '../command.js'
import { fieldsOf, flag, list, object, optionalText, text, UnexpectedReply } from '../reply.js'

/** A node of QEMU's block graph. */
export interface BlockNode {
  nodeName: string
  driver: string
  /** What it is about, where it has a file: a path, or `json:{…}`. */
  file: string
  readOnly: boolean
  /** Its size in bytes. */
  virtualSize: number
  /** How many bytes of its file are in use; undefined where QEMU does not know. */
  actualSize: number | undefined
  /** The backing file as its header names it. */
  backingFile: string | undefined
}

export const queryNamedBlockNodes = {
  name: 'query-named-block-nodes',
  takes: takes<{ flat?: boolean } | undefined>(),
  reply: value =>
    list(value, 'the nodes', (element): BlockNode => {
      const node = object(element, 'a node')
      const { image } = node
      const { 'virtual-size': virtualSize, 'actual-size': actualSize } = fieldsOf(image) ?? {}
      if (typeof virtualSize !== 'number') throw new UnexpectedReply('a node has no virtual-size')
      return {
        nodeName: text(node, 'node-name'),
        driver: text(node, 'drv'),
        file: text(node, 'file'),
        readOnly: flag(node, 'ro'),
        virtualSize,
        actualSize: typeof actualSize === 'number' ? actualSize : undefined,
        backingFile: optionalText(node, 'backing_file'),
      }
    }),
} satisfies QmpCommand

import { type QmpCommand, takes } from '../command.js'
import { fieldsOf, flag, list, number, object, optionalText, text, UnexpectedReply } from '../reply.js'

/** A dirty bitmap: which parts of its node were written since. */
export interface DirtyBitmap {
  /** Empty for those of QEMU's own jobs. */
  name: string
  /** Bytes that are marked. */
  count: number
  /** Bytes for each bit. */
  granularity: number
  /** Whether it still marks what is written. */
  recording: boolean
  /** Whether a job uses it. */
  busy: boolean
  /** Whether its image keeps it. */
  persistent: boolean
  /** Whether QEMU ended without storing it: what it holds is of no use. */
  inconsistent: boolean
}

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
  bitmaps: readonly DirtyBitmap[]
}

const bitmapOf = (element: unknown): DirtyBitmap => {
  const bitmap = object(element, 'a bitmap')
  const { inconsistent } = bitmap
  return {
    name: optionalText(bitmap, 'name') ?? '',
    count: number(bitmap, 'count'),
    granularity: number(bitmap, 'granularity'),
    recording: flag(bitmap, 'recording'),
    busy: flag(bitmap, 'busy'),
    persistent: flag(bitmap, 'persistent'),
    inconsistent: inconsistent === true,
  }
}

export const queryNamedBlockNodes = {
  name: 'query-named-block-nodes',
  takes: takes<{ flat?: boolean } | undefined>(),
  reply: value =>
    list(value, 'the nodes', (element): BlockNode => {
      const node = object(element, 'a node')
      const { image, 'dirty-bitmaps': bitmaps } = node
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
        bitmaps: bitmaps === undefined ? [] : list(bitmaps, 'its bitmaps', bitmapOf),
      }
    }),
} satisfies QmpCommand

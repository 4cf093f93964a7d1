import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'

/** Keeps from now on which parts of a node are written. */
export const blockDirtyBitmapAdd = {
  name: 'block-dirty-bitmap-add',
  takes: takes<{
    node: string
    name: string
    /** Bytes for each bit: a power of 2, 512 to 2 GiB. */
    granularity?: number
    /** Whether the image keeps it when QEMU ends in order: qcow2 alone can. */
    persistent?: boolean
  }>(),
  reply: nothing,
} satisfies QmpCommand

export const blockDirtyBitmapRemove = {
  name: 'block-dirty-bitmap-remove',
  takes: takes<{ node: string; name: string }>(),
  reply: nothing,
} satisfies QmpCommand

/** Adds what other bitmaps have to one; they may be of other nodes of the same size. */
export const blockDirtyBitmapMerge = {
  name: 'block-dirty-bitmap-merge',
  takes: takes<{ node: string; target: string; bitmaps: readonly (string | { node: string; name: string })[] }>(),
  reply: nothing,
} satisfies QmpCommand

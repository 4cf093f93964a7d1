import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'
import type { BackupArguments } from './blockdev-backup.js'

/** One step of a transaction: a command that QEMU can undo, and its arguments. */
export type TransactionAction =
  | { type: 'block-dirty-bitmap-clear'; data: { node: string; name: string } }
  | {
      type: 'block-dirty-bitmap-add'
      data: { node: string; name: string; granularity?: number; persistent?: boolean; disabled?: boolean }
    }
  | { type: 'block-dirty-bitmap-remove'; data: { node: string; name: string } }
  | { type: 'block-dirty-bitmap-merge'; data: { node: string; target: string; bitmaps: readonly string[] } }
  | { type: 'blockdev-backup'; data: BackupArguments }

/** Does all of these in one moment, or none. */
export const transaction = {
  name: 'transaction',
  takes: takes<{ actions: readonly TransactionAction[] }>(),
  reply: nothing,
} satisfies QmpCommand

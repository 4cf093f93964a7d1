import { transaction } from '../../qmp/commands/transaction.js'
import type { Qmp } from '../../qmp/qmp.js'
import { QmpError } from '../../qmp/qmp-error.js'
import { commandTimeout } from './command-timeout.js'

/** Bytes that a bit of our bitmaps stands for. */
export const granularity = 65_536

/** Whether a node's image keeps bitmaps when QEMU ends in order: QEMU is asked to begin one, and to remove it in the same moment. */
export async function canPersist(qmp: Qmp, node: string): Promise<boolean> {
  const name = 'xenlight-trial'
  try {
    const actions = [
      { type: 'block-dirty-bitmap-add' as const, data: { node, name, granularity, persistent: true } },
      { type: 'block-dirty-bitmap-remove' as const, data: { node, name } },
    ]
    await qmp.run(transaction, { actions }, { timeout: commandTimeout })
    return true
  } catch (error) {
    if (error instanceof QmpError && error.code === 'refused') return false
    throw error
  }
}

import type { Limits } from '../../link/limits.js'
import { type BlockExport, queryBlockExports } from '../../qmp/commands/block-export.js'
import type { Qmp } from '../../qmp/qmp.js'
import { QmpError } from '../../qmp/qmp-error.js'

/** The exports; undefined for a QEMU before 5.2, which does not say. */
export async function listExports(qmp: Qmp, limits: Limits): Promise<BlockExport[] | undefined> {
  try {
    return await qmp.run(queryBlockExports, undefined, limits)
  } catch (error) {
    if (isUnknownCommand(error)) return undefined
    throw error
  }
}

export const isUnknownCommand = (error: unknown): boolean =>
  error instanceof QmpError && error.errorClass === 'CommandNotFound'

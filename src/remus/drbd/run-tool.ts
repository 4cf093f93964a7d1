import type { Limits } from '../../link/limits.js'

/** What a tool did. `status` is absent where a signal ended it. */
export interface ToolResult {
  status: number | undefined
  stdout: string
  stderr: string
}

export interface ToolLimits extends Limits {
  /** How many bytes each of its outputs may have. */
  outputBytes: number
}

/**
 * Runs a program with these arguments and no shell, and waits for its end.
 *
 * @throws RemusError tool-missing, tool-output, tool-failed; LinkError ETIMEDOUT, ECANCELED
 */
export type RunTool = (program: string, args: readonly string[], limits: ToolLimits) => Promise<ToolResult>

import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { probeDrbd } from '../../remus/drbd/probe-drbd.js'
import { probeStatuses } from '../../remus/drbd/probe-result.js'
import { runDrbdTool } from '../../remus/node/run-drbd-tool.js'
import type { ProbeCommand } from '../command.js'
import { probeText } from '../probe-text.js'
import { toJson } from '../status-text.js'

/** Says whether a DRBD device has checkpoints. */
export async function runProbe({ target, json, timeout }: ProbeCommand, io: Io): Promise<number> {
  using interruption = interruptible(io)
  const { signal } = interruption
  try {
    const found = await probeDrbd(target, { run: runDrbdTool, timeout, signal })
    io.write(1, json ? toJson(found) : `${probeText(found)}\n`)
    return probeStatuses[found.outcome]
  } catch (error) {
    if (interruption.status !== undefined) return interruption.status
    throw error
  }
}

import type { Io } from '../../command-line/io.js'
import { connectDiskControl } from '../../protocol-d/node/connect-disk-control.js'
import type { Command } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { toJson } from '../status-text.js'

/** Takes a checkpoint and waits for its acknowledgement; or switches them on or off. */
export async function runCheckpoint(command: Extract<Command, { kind: 'checkpoint' }>, io: Io): Promise<number> {
  const limits = { timeout: command.timeout ?? 10_000 }
  await using node = await connectDiskControl(command.control, limits)
  if (command.switch !== undefined) {
    await node.setCheckpointing(command.switch === 'on', limits)
    return exitStatus('done')
  }
  const { checkpoint, isAwaited } = await node.checkpoint(limits)
  if (isAwaited) await node.waitForAck(limits)
  const text = isAwaited ? `checkpoint ${checkpoint}` : `nothing was written since checkpoint ${checkpoint}`
  io.write(1, command.json ? toJson({ checkpoint, written: isAwaited }) : `${text}\n`)
  return exitStatus('done')
}

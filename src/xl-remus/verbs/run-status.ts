import { setTimeout as delay } from 'node:timers/promises'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { LinkError } from '../../link/link-error.js'
import { connectDiskControl } from '../../protocol-d/node/connect-disk-control.js'
import type { Command } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { statusOf, statusText, toJson } from '../status-text.js'

/** How often --watch looks, in milliseconds. */
const interval = 1000

/** Says what a node is. */
export async function runStatus(command: Extract<Command, { kind: 'status' }>, io: Io): Promise<number> {
  using interruption = interruptible(io)
  const { signal } = interruption
  for (;;) {
    const { line, status } = await look(command, signal).catch(error => {
      if (interruption.status !== undefined) return { line: '', status: interruption.status }
      // who watches waits for what is not there yet
      if (!command.watch || !(error instanceof LinkError)) throw error
      return {
        line: command.json ? toJson({ error: error.message }) : `${error.message}\n`,
        status: exitStatus('failed'),
      }
    })
    if (line !== '') io.write(1, line)
    if (!command.watch || signal.aborted) return status
    await delay(interval, undefined, { signal }).catch(() => {})
    if (signal.aborted) return status
  }
}

async function look(
  { control, json, timeout = 10_000 }: Extract<Command, { kind: 'status' }>,
  signal: AbortSignal,
): Promise<{ line: string; status: number }> {
  const limits = { timeout, signal }
  await using node = await connectDiskControl(control, limits)
  const status = await node.status(limits)
  return { line: json ? toJson(status) : `${statusText(status)}\n`, status: statusOf(status) }
}

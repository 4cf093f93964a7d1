import { setTimeout as delay } from 'node:timers/promises'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { redrawn } from '../../command-line/redrawn.js'
import type { ServedStatus } from '../../protocol-d/control/served-status.js'
import { connectDiskControl } from '../../protocol-d/node/connect-disk-control.js'
import type { Command } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { statusOf, statusText, toJson } from '../status-text.js'

type ResyncCommand = Extract<Command, { kind: 'resync' }>

/** How often it looks, in milliseconds. */
const interval = 200
/** A state that no waiting ends has to last so long, in milliseconds: nodes that do not fit are tried again. */
const patience = 5000

/** Waits until both nodes hold the same; on a terminal one line shows how far it is. */
export async function runResync(command: ResyncCommand, io: Io): Promise<number> {
  using interruption = interruptible(io)
  try {
    return await follow(command, io, interruption.signal)
  } catch (error) {
    if (interruption.status === undefined) throw error
    return interruption.status
  }
}

/** @throws the signal's reason, or an error that comes of it, where it is aborted */
async function follow(command: ResyncCommand, io: Io, signal: AbortSignal): Promise<number> {
  const end = performance.now() + (command.timeout ?? Number.POSITIVE_INFINITY)
  // a look has time for an answer, also the last one
  const left = () => ({ timeout: Math.ceil(Math.max(interval, end - performance.now())), signal })
  await using node = await connectDiskControl(command.control, { timeout: command.timeout ?? 10_000, signal })
  if (command.discard) await node.discardOwnChanges(left())
  const isLive = !command.json && io.isTerminal(1) && io.env.TERM !== 'dumb'
  let shown = ''
  let stuckSince: number | undefined
  for (;;) {
    const status = await node.status(left())
    const line = command.json ? toJson(status) : statusText(status)
    if (isLive) io.write(1, redrawn([line], shown === '' ? 0 : 1, io.size()))
    else if (line !== shown) io.write(1, command.json ? line : `${line}\n`)
    shown = line
    if (status.connection === 'equal') return exitStatus('done')
    const now = performance.now()
    stuckSince = isStuck(status) ? (stuckSince ?? now) : undefined
    if (now > end || (stuckSince !== undefined && now - stuckSince > patience)) return statusOf(status)
    await delay(interval, undefined, { signal })
  }
}

/** It waits for an administrator, not for time. */
const isStuck = (status: ServedStatus): boolean =>
  ['undecided', 'splitBrain', 'nodeFailed'].some(
    name => statusOf(status) === exitStatus(name as 'undecided' | 'splitBrain' | 'nodeFailed'),
  )

import { connectDiskControl } from '../../protocol-d/node/connect-disk-control.js'
import type { Command } from '../command.js'
import { exitStatus } from '../exit-status.js'

export async function runPromote(command: Extract<Command, { kind: 'promote' }>): Promise<number> {
  const limits = { timeout: command.timeout ?? 10_000 }
  await using node = await connectDiskControl(command.control, limits)
  if (command.forceLease !== undefined) await node.forceLease(command.forceLease, limits)
  else await node.promote({ two: command.two, force: command.force, number: command.number }, limits)
  return exitStatus('done')
}

export async function runAlone(command: Extract<Command, { kind: 'alone' }>): Promise<number> {
  const limits = { timeout: command.timeout ?? 10_000 }
  await using node = await connectDiskControl(command.control, limits)
  await node.goOnAlone(limits)
  return exitStatus('done')
}

export async function runDemote(command: Extract<Command, { kind: 'demote' }>): Promise<number> {
  const limits = { timeout: command.timeout ?? 10_000 }
  await using node = await connectDiskControl(command.control, limits)
  await node.demote({ force: command.force }, limits)
  return exitStatus('done')
}

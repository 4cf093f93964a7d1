import type { Request } from '../../control/control-line.js'
import { timeoutProblem } from '../../link/limits.js'
import { highestPromotion } from '../geometry.js'
import type { CheckpointSent } from '../machine/checkpoints.js'
import type { ServedStatus } from './served-status.js'

/** How long the node itself tries, in milliseconds: who asks may be gone by then. */
interface Timed {
  timeout?: number
}

/** What a node that is served can be asked, by name: what it needs, and what it answers. */
export interface Commands {
  status: { needs: Record<never, never>; gives: ServedStatus }
  checkpoint: { needs: Record<never, never>; gives: CheckpointSent }
  wait: { needs: Timed; gives: null }
  checkpointing: { needs: { isOn: boolean }; gives: null }
  promote: { needs: Timed & { two?: boolean; force?: boolean; number?: number; reason?: string }; gives: null }
  demote: { needs: Timed & { force?: boolean }; gives: null }
  discard: { needs: Record<never, never>; gives: null }
  disconnect: { needs: Record<never, never>; gives: null }
  goOnAlone: { needs: Record<never, never>; gives: null }
}

export type CommandName = keyof Commands

const commandNames = [
  'status',
  'checkpoint',
  'wait',
  'checkpointing',
  'promote',
  'demote',
  'discard',
  'disconnect',
  'goOnAlone',
] as const satisfies readonly CommandName[]

/** What a node is asked. */
export interface Command<Name extends CommandName = CommandName> {
  execute: Name
  arguments: Commands[Name]['needs']
}

/** How long an operator's reason may be, in characters. */
export const reasonAtMost = 500

const isReason = (reason: unknown): reason is string =>
  typeof reason === 'string' && reason.trim() !== '' && reason.length <= reasonAtMost

const isPromotion = (number: unknown): number is number =>
  Number.isSafeInteger(number) && (number as number) >= 1 && (number as number) <= highestPromotion

/** Reads what a request asks; undefined where no node can be asked that. Arguments that are of no use to it are not kept. */
export function readCommand({
  execute,
  arguments: given,
}: Pick<Request, 'execute' | 'arguments'>): Command | undefined {
  const name = commandNames.find(one => one === execute)
  if (name === undefined) return undefined
  const { isOn, two, force, number, reason, timeout } = given
  if (timeout !== undefined && (typeof timeout !== 'number' || timeoutProblem(timeout) !== undefined)) return undefined
  for (const flag of [isOn, two, force]) if (flag !== undefined && typeof flag !== 'boolean') return undefined
  if (number !== undefined && !isPromotion(number)) return undefined
  if (reason !== undefined && !isReason(reason)) return undefined
  if (name === 'checkpointing' && isOn === undefined) return undefined
  const kept = {
    ...(isOn !== undefined && { isOn }),
    ...(two !== undefined && { two }),
    ...(force !== undefined && { force }),
    ...(number !== undefined && { number }),
    ...(reason !== undefined && { reason }),
    ...(timeout !== undefined && { timeout }),
  }
  return { execute: name, arguments: kept as never }
}

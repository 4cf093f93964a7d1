import type { Request } from '../../control/control-line.js'
import { longestTimeout } from '../../link/limits.js'
import type { ColoStatus } from '../colo-status.js'
import { isPromotion } from './node-record.js'

/** How long the node itself tries, in milliseconds: who asks may be gone by then. */
interface Timed {
  timeout: number
}

/** What a node of a guest can be asked over its control socket. */
export type GuestCommand =
  | { execute: 'status' }
  | ({ execute: 'promote'; number: number; force: boolean } & Timed)
  | ({ execute: 'demote' } & Timed)
  | ({ execute: 'checkpoint' } & Timed)

/** What it answers to `checkpoint`: both nodes have it, or there is one node alone, whose disks count. */
export interface CheckpointTaken {
  by: 'checkpoint' | 'alone'
}

export type GuestStatus = ColoStatus & { text: string }

/** Where the one who asks does not say it, in milliseconds. */
const usualTimeout = 30_000

/** Reads what a request asks; undefined where nobody can be asked that. */
export function readGuestCommand({ execute, arguments: given }: Request): GuestCommand | undefined {
  const { number, force = false, timeout = usualTimeout } = given
  if (typeof timeout !== 'number' || !(timeout >= 0 && timeout <= longestTimeout)) return undefined
  switch (execute) {
    case 'status':
      return { execute }
    case 'demote':
    case 'checkpoint':
      return { execute, timeout }
    case 'promote':
      return isPromotion(number) && typeof force === 'boolean' ? { execute, number, force, timeout } : undefined
    default:
      return undefined
  }
}

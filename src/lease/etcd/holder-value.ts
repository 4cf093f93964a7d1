import { fieldsOf, unexpected } from './reply-fields.js'

/** What the key of a holder has. Nobody else's is the same, ever. */
export interface HolderValue {
  holder: string
  attempt: string
  epoch: number
}

export const holderText = ({ holder, attempt, epoch }: HolderValue): string =>
  JSON.stringify({ holder, attempt, epoch })

/** @throws LeaseError protocol where somebody else wrote it */
export function readHolder(text: string): HolderValue {
  const { holder, attempt, epoch } = fieldsOf(parse(text)) ?? {}
  if (typeof holder !== 'string' || typeof attempt !== 'string' || !isEpoch(epoch))
    throw unexpected('the key of a holder has what is no holder')
  return { holder, attempt, epoch }
}

/** The last epoch; 0 where there was never one. @throws LeaseError protocol */
export function readEpoch(text: string | undefined): number {
  if (text === undefined) return 0
  const epoch = /^\d{1,16}$/.test(text) ? Number(text) : undefined
  if (!isEpoch(epoch)) throw unexpected('the key of an epoch has what is no epoch')
  return epoch
}

/** One may still be added. */
const isEpoch = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value < Number.MAX_SAFE_INTEGER

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

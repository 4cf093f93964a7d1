import { fieldsOf, unexpected } from './reply-fields.js'

/** What the key of a record has. */
export interface RecordValue {
  epoch: number
  /** Which writing it was: random. */
  write: string
  value: unknown
}

export const recordText = ({ epoch, write, value }: RecordValue): string => JSON.stringify({ epoch, write, value })

/** @throws LeaseError protocol where somebody else wrote it */
export function readRecord(text: string): RecordValue {
  const { epoch, write, value } = fieldsOf(parse(text)) ?? {}
  const isWhole = typeof epoch === 'number' && Number.isSafeInteger(epoch) && typeof write === 'string'
  if (!isWhole || value === undefined) throw unexpected('the key of a record has what is no record')
  return { epoch, write, value }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

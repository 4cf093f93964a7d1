/** What a node must not forget of its guest, besides the records of its disks. */
export interface NodeRecord {
  /** The number of the last promotion that it has heard of. */
  promotion: number
  /** Which node that promoted; empty for none. */
  by: string
  /** An operator said so, whatever the other node had. */
  isForced: boolean
  /** Its guest may have gone on alone: what was written here counts, and nobody else has it. */
  isAlone: boolean
}

export const newRecord: NodeRecord = { promotion: 0, by: '', isForced: false, isAlone: false }

/** One line of JSON, for people too. */
export const formatNodeRecord = (record: NodeRecord): string => `${JSON.stringify({ version: 1, ...record })}\n`

/** Undefined for a text that is no record of this version. */
export function parseNodeRecord(text: string): NodeRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { version, promotion, by, isForced, isAlone } = value as Record<string, unknown>
  if (version !== 1 || !isPromotion(promotion) || typeof by !== 'string') return undefined
  if (typeof isForced !== 'boolean' || typeof isAlone !== 'boolean') return undefined
  return { promotion, by, isForced, isAlone }
}

/** The largest number: COLO's epochs are no larger. */
const largest = 2_147_483_647

export const isPromotion = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= largest

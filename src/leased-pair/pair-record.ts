import type { PairNode } from './pair-node.js'

/** Under which key of its lease a pair's record is. */
export const pairKey = 'pair'

/** That an operator had a node promoted with what it had. */
export interface ForcedPromotion {
  readonly node: PairNode
  readonly promotion: number
  readonly reason: string
}

/** What the catalogue has of a pair; its Primary writes it. */
export interface PairRecord {
  /** Those that were ever Primary. */
  readonly nodes: readonly PairNode[]
  /** Who was promoted last. */
  readonly primary: PairNode
  /** The URL of the disk, on that node's machine. */
  readonly nbd: string
  /** The number of the promotion: the lease's epoch. */
  readonly promotion: number
  /** Who alone may be promoted, as the other node may lack something; null where both held the same. */
  readonly alone: PairNode | null
  readonly state: 'alone' | 'equal'
  /** The last time that somebody was promoted against its advice. */
  readonly forced: ForcedPromotion | null
  /** That one was, and both have not held the same since: what the other node has was given up by an operator. */
  readonly isForced: boolean
}

/** Reads what the catalogue has; undefined where it is no pair's. */
export function readPairRecord(value: unknown): PairRecord | undefined {
  if (!isRecord(value)) return undefined
  const { nodes, primary, nbd, promotion, alone, state, forced, isForced } = value
  if (!Array.isArray(nodes) || nodes.length > 2 || !nodes.every(isNode)) return undefined
  if (!isNode(primary) || !isText(nbd, 10_000) || !isNumber(promotion)) return undefined
  if (alone !== null && !isNode(alone)) return undefined
  if (state !== 'alone' && state !== 'equal') return undefined
  if ((state === 'alone') !== (alone !== null) || typeof isForced !== 'boolean') return undefined
  if (forced !== null && !isForcedPromotion(forced)) return undefined
  return { nodes, primary, nbd, promotion, alone, state, forced, isForced }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const isText = (value: unknown, atMost: number): value is string =>
  typeof value === 'string' && value !== '' && value.length <= atMost

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function isNode(value: unknown): value is PairNode {
  if (!isRecord(value)) return false
  const { name, side } = value
  return isText(name, 200) && (side === 'listen' || side === 'connect')
}

function isForcedPromotion(value: unknown): value is ForcedPromotion {
  if (!isRecord(value)) return false
  const { node, promotion, reason } = value
  return isNode(node) && isNumber(promotion) && isText(reason, 1000)
}

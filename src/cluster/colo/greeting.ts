import { Buffer } from 'node:buffer'
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { isPromotion } from './node-record.js'

/** What a connection of the peer's is for: QEMU's two monitors, or what is asked of the node itself. */
export const channels = ['qmp', 'urgent', 'node'] as const
export type Channel = (typeof channels)[number]

/** The first line, by who listens. */
export interface Hello {
  nonce: string
}

/** The second, by who comes: the primary. */
export interface Visit {
  channel: Channel
  /** The number of its promotion. */
  promotion: number
  node: string
  /** An operator said that it is to be promoted, whatever this one had. */
  isForced: boolean
  nonce: string
}

/** The third: whether it is let in. */
export type Welcome =
  | { isIn: true; promotion: number }
  /** The number is that of the last promotion that who listens has heard of, and whether an operator forced that. */
  | { isIn: false; promotion: number; isForced: boolean; why: string }

/** The longest line of a greeting, in bytes. */
export const greetingAtMost = 4096

export const newNonce = (): string => randomBytes(24).toString('base64')

/** Says a line, and proves that who says it knows the pair's name; by the other end's nonce, it was said to that one. */
export function signed(line: Hello | Visit | Welcome, key: string, nonce = ''): string {
  const text = JSON.stringify(line)
  return `${proofOf(text, key, nonce)} ${text}\n`
}

function opened(line: string, key: string, nonce: string): Record<string, unknown> | undefined {
  const [, proof = '', text = ''] = /^([0-9a-f]{64}) (\{.*\})$/.exec(line) ?? []
  const wanted = proofOf(text, key, nonce)
  if (proof.length !== wanted.length || !timingSafeEqual(Buffer.from(proof), Buffer.from(wanted))) return undefined
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** Undefined for a line that no peer has said. */
export function readHello(line: string, key: string): Hello | undefined {
  const { nonce } = opened(line, key, '') ?? {}
  return isNonce(nonce) ? { nonce } : undefined
}

export function readVisit(line: string, key: string, nonce: string): Visit | undefined {
  const { channel, promotion, node, isForced, nonce: theirs } = opened(line, key, nonce) ?? {}
  const known = channels.find(name => name === channel)
  if (known === undefined || !isPromotion(promotion) || promotion === 0 || !isNonce(theirs)) return undefined
  if (typeof node !== 'string' || !/^[\w.-]{1,256}$/.test(node) || typeof isForced !== 'boolean') return undefined
  return { channel: known, promotion, node, isForced, nonce: theirs }
}

export function readWelcome(line: string, key: string, nonce: string): Welcome | undefined {
  const { isIn, promotion, isForced, why } = opened(line, key, nonce) ?? {}
  if (!isPromotion(promotion)) return undefined
  if (isIn === true) return { isIn, promotion }
  if (isIn !== false || typeof isForced !== 'boolean' || typeof why !== 'string') return undefined
  return { isIn, promotion, isForced, why }
}

const proofOf = (text: string, key: string, nonce: string): string =>
  createHmac('sha256', key).update(`xenlight-colo ${nonce} ${text}`).digest('hex')

const isNonce = (value: unknown): value is string => typeof value === 'string' && /^[\w+/=]{16,64}$/.test(value)

import type { Hello, Verdict } from '../handshake.js'
import type { WireMessage } from './wire-message.js'

type Fields = Readonly<Record<string, unknown>>

/** The longest text that is taken, in characters. */
const textAtMost = 512
/** The most generations that are taken. */
const namesAtMost = 64

/** Reads what a peer says in JSON; undefined where it is not what that kind has to say. Nothing else of it is kept. */
export function readSaying(kind: WireMessage['kind'], value: unknown): WireMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { hello, verdict, generation, sequence, checkpoint, role, two, promotion, refusal, ...rest } = value as Fields
  switch (kind) {
    case 'open':
      return readOpen(rest)
    case 'hello': {
      const read = readHello(hello)
      return read && { kind, hello: read }
    }
    case 'verdict': {
      const read = readVerdict(verdict)
      return read && { kind, verdict: read }
    }
    case 'begin':
      return isName(generation) ? { kind, generation } : undefined
    case 'copied':
      if (!isCount(sequence) || !isName(generation) || !isCheckpoint(checkpoint)) return undefined
      return { kind, sequence, generation, checkpoint }
    case 'role':
      return isRole(role) ? { kind, role } : undefined
    case 'roleRequest':
      return isFlag(two) && isPromotion(promotion) ? { kind, two, promotion } : undefined
    case 'roleAnswer':
    case 'writerAnswer':
      return refusal === undefined || isText(refusal) ? { kind, refusal } : undefined
    default:
      return undefined
  }
}

function readOpen({ session, channel, pair, version }: Fields): WireMessage | undefined {
  if (!isText(session) || !isText(pair) || !isCount(version)) return undefined
  return channel === 'data' || channel === 'meta' ? { kind: 'open', session, channel, pair, version } : undefined
}

function readHello(value: unknown): Hello | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { pair, size, blockSize, role, isWriter, disk, generation, bases, history } = value as Fields
  const { differs, isUnfinished, checkpoint, promotion, discards, afterSplitBrain } = value as Fields
  if (!isText(pair) || !isCount(size) || !isCount(blockSize) || !isRole(role) || !isDisk(disk)) return undefined
  if (!isName(generation) || !areNames(bases) || !areNames(history) || !isCheckpoint(checkpoint)) return undefined
  if (!isFlag(isWriter) || !isFlag(differs) || !isFlag(isUnfinished) || !isFlag(discards)) return undefined
  if (!isSplitBrainAnswer(afterSplitBrain) || !isPromotion(promotion)) return undefined
  return {
    ...{ pair, size, blockSize, role, isWriter, disk, generation, bases, history },
    ...{ differs, isUnfinished, checkpoint, promotion, discards, afterSplitBrain },
  }
}

function readVerdict(value: unknown): Verdict | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { kind, isFull, why } = value as Fields
  if (kind === 'equal') return { kind }
  if ((kind === 'source' || kind === 'target') && isFlag(isFull)) return { kind, isFull }
  return (kind === 'undecided' || kind === 'refused') && isText(why) ? { kind, why } : undefined
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= textAtMost
const isFlag = (value: unknown): value is boolean => typeof value === 'boolean'
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
/** There are as many again to come. */
const isCheckpoint = (value: unknown): value is number => isCount(value) && value < 2 ** 52
/** It is kept, and there are as many again to come. */
const isPromotion = isCheckpoint
const isRole = (value: unknown): value is 'primary' | 'secondary' => value === 'primary' || value === 'secondary'
const isSplitBrainAnswer = (value: unknown): value is Hello['afterSplitBrain'] =>
  value === 'disconnect' || value === 'discard-secondary'
const isDisk = (value: unknown): value is Hello['disk'] =>
  value === 'inconsistent' || value === 'outdated' || value === 'consistent'
/** The name of a generation: it is kept, so there is a place for it. */
const isName = (value: unknown): value is string => typeof value === 'string' && /^\w{0,64}$/.test(value)
const areNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= namesAtMost && value.every(isName)

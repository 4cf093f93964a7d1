import { shrink } from './shrink.js'

/** What is asked of libxlutil and of us: one or more words, a character a byte. */
export type Words = readonly string[]

/** A parser of libxlutil's beside ours. */
export interface Subject<Answer> {
  /** Without end, decided by the seed. */
  generate(seed: number): Iterator<Words, unknown>
  /** libxlutil's answers. */
  ask(requests: readonly Words[]): Promise<(Answer | 'crash')[]>
  accepts(answer: Answer): boolean
  /** How our answer differs from libxlutil's; undefined where it does not. */
  difference(words: Words, answer: Answer | 'crash'): string | undefined
}

export interface FuzzResult {
  tried: number
  /** How many libxlutil took, and how many ended its process. */
  accepted: number
  crashes: number
  /** The first difference, in its smallest form; nothing is tried after it. */
  finding?: string
}

const batch = 1000

/** Asks libxlutil and our parser the same `count` generated things. */
export async function fuzz<Answer>(subject: Subject<Answer>, seed: number, count: number): Promise<FuzzResult> {
  const source = subject.generate(seed)
  const result: FuzzResult = { tried: 0, accepted: 0, crashes: 0 }
  while (result.tried < count) {
    const requests = Array.from({ length: Math.min(batch, count - result.tried) }, () => source.next().value as Words)
    for (const [index, answer] of (await subject.ask(requests)).entries()) {
      result.tried++
      if (answer === 'crash') result.crashes++
      else if (subject.accepts(answer)) result.accepted++
      const words = requests[index]!
      if (difference(subject, words, answer)) return { ...result, finding: await describeFinding(subject, words) }
    }
  }
  return result
}

/** Our parser may throw nothing that it does not document. */
function difference<Answer>(subject: Subject<Answer>, words: Words, answer: Answer | 'crash'): string | undefined {
  try {
    return subject.difference(words, answer)
  } catch (error) {
    return `ours  threw ${error instanceof Error ? error.stack : error}`
  }
}

async function describeFinding<Answer>(subject: Subject<Answer>, words: Words): Promise<string> {
  const ask = async (words: Words) => difference(subject, words, (await subject.ask([words]))[0]!)
  const smallest = await shrink(words, async words => (await ask(words)) !== undefined)
  const said = (await ask(smallest)) ?? 'no difference when asked again: the answer depends on what came before'
  return `${JSON.stringify(smallest)} (a character is a byte)\n${said}\nshrunk from ${JSON.stringify(words)}`
}

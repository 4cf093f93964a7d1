import type { Libxlutil } from '../real/libxlutil.js'
import { diskDifference } from './disk-difference.js'
import { type GeneratorOptions, generateDiskSpecs } from './disk-spec-generator.js'
import { shrink } from './shrink.js'

export interface FuzzResult {
  tried: number
  /** How many libxlutil took, and how many ended its process. */
  accepted: number
  crashes: number
  /** The first difference, in its smallest form; nothing is tried after it. */
  finding?: string
}

const batch = 1000

/** Asks libxlutil and our parser the same `count` generated disks. */
export async function fuzzDisks(
  libxlutil: Libxlutil,
  { seed, count, ...options }: GeneratorOptions & { seed: number; count: number },
): Promise<FuzzResult> {
  const specs = generateDiskSpecs(seed, options)
  const result: FuzzResult = { tried: 0, accepted: 0, crashes: 0 }
  while (result.tried < count) {
    const requests = Array.from({ length: Math.min(batch, count - result.tried) }, () => specs.next().value)
    const answers = await libxlutil.disks(requests.map(toBytes))
    for (const [index, answer] of answers.entries()) {
      result.tried++
      if (answer === 'crash') result.crashes++
      else if (answer.rc === 0) result.accepted++
      if (diskDifference(toBytes(requests[index]!), answer))
        return { ...result, finding: await describeFinding(libxlutil, requests[index]!) }
    }
  }
  return result
}

async function describeFinding(libxlutil: Libxlutil, words: readonly string[]): Promise<string> {
  const difference = async (words: readonly string[]) => {
    const [answer] = await libxlutil.disks([toBytes(words)])
    return diskDifference(toBytes(words), answer!)
  }
  const smallest = await shrink(words, async words => (await difference(words)) !== undefined)
  return [
    `words (a character is a byte): ${JSON.stringify(smallest)}`,
    await difference(smallest),
    `shrunk from ${JSON.stringify(words)}`,
  ].join('\n')
}

const toBytes = (words: readonly string[]) => words.map(word => Buffer.from(word, 'latin1'))

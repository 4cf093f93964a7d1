/** Enough for any ordinary case; of an enormous one a large remainder is told rather than nothing. */
const attempts = 5000

/**
 * Takes words, then ever smaller pieces of a word away while `stillFails` says so of the rest; what comes back fails,
 * and, of an ordinary case, nothing more can be left out of it in one piece.
 */
export async function shrink(
  words: readonly string[],
  stillFails: (words: readonly string[]) => Promise<boolean>,
): Promise<readonly string[]> {
  let left = attempts
  const counted = async (words: readonly string[]) => left-- > 0 && (await stillFails(words))
  while (left > 0) {
    const smaller = await firstThatFails(candidates(words), counted)
    if (!smaller) return words
    words = smaller
  }
  return words
}

async function firstThatFails(
  candidates: Iterable<readonly string[]>,
  stillFails: (words: readonly string[]) => Promise<boolean>,
): Promise<readonly string[] | undefined> {
  for (const candidate of candidates) if (await stillFails(candidate)) return candidate
  return undefined
}

function* candidates(words: readonly string[]): Generator<readonly string[]> {
  for (const index of words.keys()) yield words.toSpliced(index, 1)
  for (const [index, word] of words.entries())
    for (let length = Math.ceil(word.length / 2); length > 0; length = length > 1 ? Math.ceil(length / 2) : 0)
      for (let at = 0; at + length <= word.length; at += length)
        yield words.with(index, word.slice(0, at) + word.slice(at + length))
}

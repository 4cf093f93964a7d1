import t from 'tap'
import { completedByBash, completedByFish, completerOfZsh } from './completed-by.js'
import { realPart } from './real-part.js'

/** A line that is begun, and what a shell offers at its end. */
export type Offer = readonly [line: string, words: readonly string[]]

/** Tests that the shells complete a command: all what they should, and bash some more. */
export function testCompletion(
  name: string,
  {
    scriptFor,
    offers,
    offersOfBash,
  }: { scriptFor(shell: string): Promise<string>; offers: Offer[]; offersOfBash: Offer[] },
) {
  t.test('bash completes verbs, their options, and files', async t => {
    const script = await scriptFor('bash')
    const lines = [...offers, ...offersOfBash]
    const found = await realPart(t, () =>
      lines.map(([line, words]) => [line, completedByBash(name, script, line), words] as const),
    )
    for (const [line, words, wanted] of found ?? []) t.strictSame(words, wanted, line)
  })

  t.test('fish completes verbs and their options', async t => {
    const script = await scriptFor('fish')
    const found = await realPart(t, () =>
      offers.map(([line, words]) => [line, completedByFish(script, line), words] as const),
    )
    for (const [line, words, wanted] of found ?? []) t.strictSame(words, wanted, line)
  })

  t.test('zsh takes its script', async t => {
    const script = await scriptFor('zsh')
    const found = await realPart(t, () => completerOfZsh(name, script))
    if (found !== undefined) t.equal(found, `_${name.replaceAll('-', '_')}`)
  })
}

import { randomInt } from 'node:crypto'
import type { Test } from 'tap'
import { type Libxlutil, startLibxlutil } from '../real/libxlutil.js'
import { realPart } from '../support/real-part.js'
import { fuzz, type Subject } from './fuzz.js'

const { CI } = process.env

/** So many generated texts, the same ones each time: libxlutil and we answer the same. With `CI` set, and others. */
export async function againstLibxlutil<Answer>(
  t: Test,
  { what, count, of }: { what: string; count: number; of: (libxlutil: Libxlutil) => Subject<Answer> },
): Promise<void> {
  for (const seed of CI ? [1, randomInt(2 ** 32)] : [1])
    await t.test(
      `${count} generated ${what}, seed ${seed}: libxlutil and we answer byte for byte the same`,
      async t => {
        const libxlutil = await realPart(t, () => startLibxlutil())
        if (!libxlutil) return
        using _ = libxlutil
        const { tried, accepted, crashes, finding } = await fuzz(of(libxlutil), seed, count)
        t.equal(finding, undefined, `one of the ${what}, ${tried}`)
        t.equal(tried, count)
        t.ok(accepted > tried / 10, 'libxlutil takes a good part of them')
        t.ok(crashes < tried / 100, 'and seldom ends its process')
      },
    )
}

import { randomInt } from 'node:crypto'
import t from 'tap'
import { startLibxlutil } from '../real/libxlutil.js'
import { realPart } from '../support/real-part.js'
import { configs } from './configs.js'
import { fuzz } from './fuzz.js'

const { CI } = process.env
const seeds = CI ? [1, randomInt(2 ** 32)] : [1]

for (const seed of seeds)
  t.test(`20,000 generated configurations, seed ${seed}: libxlutil and we read and say the same`, async t => {
    const libxlutil = await realPart(t, () => startLibxlutil())
    if (!libxlutil) return
    using _ = libxlutil
    const { tried, accepted, crashes, finding } = await fuzz(configs(libxlutil), seed, 20_000)
    t.equal(finding, undefined, `configuration ${tried}`)
    t.equal(tried, 20_000)
    t.ok(accepted > tried / 10, 'libxlutil takes a good part of them')
    t.ok(crashes < tried / 100, 'and seldom ends its process')
  })

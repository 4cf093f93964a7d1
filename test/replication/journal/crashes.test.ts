import t from 'tap'
import { playCuts } from './play-cuts.js'

const { CUTS = '200', SEED = '1' } = process.env
const options = { seed: Number(SEED), cuts: Number(CUTS) }

t.test('after a crash at any moment the journal has all that was acknowledged, and offers nothing else than was', () =>
  playCuts(options),
)

t.test('also when the disk was full now and then', () => playCuts({ ...options, full: true }))

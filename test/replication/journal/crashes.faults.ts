import t from 'tap'
import { playCuts } from './play-cuts.js'

const { SEED, CUTS = '10000' } = process.env
const seed = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)

for (const full of [false, true])
  t.test(
    `crashes at any operation${full ? ', of a disk that is full now and then' : ''}, SEED=${seed} CUTS=${CUTS}`,
    () => playCuts({ seed, cuts: Number(CUTS), full }),
  )

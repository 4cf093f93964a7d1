import t from 'tap'
import { createRandom } from '../../support/random.js'
import { realPart } from '../../support/real-part.js'
import { startEtcd } from './etcd-daemons.js'
import { stopHolder } from './stopped-holder.js'

const { SEED, COUNT = '25' } = process.env
const first = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)

t.test(`holders that are stopped at random, SEED=${first} COUNT=${COUNT}`, { timeout: 1_800_000 }, t =>
  realPart(t, async () => {
    const cluster = await startEtcd(t)
    const gaps: number[] = []
    let late = 0
    for (let seed = first; seed < first + Number(COUNT); seed++) {
      const random = createRandom(seed)
      const ttl = 2000 + random.int(2000)
      const run = { ttl, before: random.int(ttl), longer: random.int(ttl), way: 'careful' } as const
      const stopped = await stopHolder(t, cluster, run)
      if (stopped.late > 1) t.fail(`SEED=${seed} COUNT=1: ${stopped.late} late lines`)
      late += stopped.late
      gaps.push(stopped.gap)
    }
    t.ok(gaps.every(gap => gap > 0))
    const [least, most] = [Math.min(...gaps), Math.max(...gaps)]
    t.comment(
      `stops: ${gaps.length} holders stopped and taken over, ${least} to ${most} ms without one; ${late} late lines, all refused`,
    )
  }),
)

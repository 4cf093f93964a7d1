import t from 'tap'
import { createRandom } from '../support/random.js'
import { realPart } from '../support/real-part.js'
import { hubRun } from './hub/hub-run.js'
import { startEtcd } from './node/etcd-daemons.js'

const { SEED, LEASES = '5' } = process.env
const first = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)
/** Within so many runs it has to be found what two writers do. */
const runs = 5
const until = ['stopped until another serves'] as const
const both = ['ignores-lease.js', 'ignores-claims.js']

const median = (times: readonly number[]): number =>
  Math.round([...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0)

t.test(
  `hubs under a lease: nothing that was confirmed is lost, SEED=${first} LEASES=${LEASES}`,
  { timeout: 3_000_000 },
  t =>
    realPart(t, async () => {
      const cluster = await startEtcd(t, { size: 3 })
      const away: number[] = []
      for (let run = 0; run < Number(LEASES); run++) {
        const report = await hubRun(createRandom(first + run), { cluster })
        away.push(...report.away)
        const { hubs, faults, recovered, written, checkpoints } = report
        t.pass(`${hubs} hubs: ${faults.join(', ')}; ${recovered} and ${written} writes, ${checkpoints} checkpoints`)
      }
      t.comment(
        `nobody served for ${median(away)} ms (median of ${away.length}), ${Math.round(Math.max(...away))} ms at most`,
      )
    }),
)

t.test('the runs find hubs that go on without their lease', { timeout: 1_200_000 }, t =>
  realPart(t, async () => {
    const cluster = await startEtcd(t, { size: 3 })
    for (let seed = 1; seed <= runs; seed++)
      try {
        await hubRun(createRandom(seed), { cluster, only: until, count: 1, planted: both })
      } catch (error) {
        const { message } = error as Error
        t.comment(`seed ${seed}: ${message.split('\n')[0]}`)
        if (!/that were confirmed|it was confirmed/.test(message)) continue
        t.pass(`found by run ${seed} of ${runs}`)
        return
      }
    t.fail(`not found in ${runs} runs`)
  }),
)

// a lease is lost by the clock, and a claim is seen on the storage: each alone keeps a hub that was stopped from harm
for (const planted of both)
  t.test(`a hub that only ${planted.replace('.js', '').replace('-', ' ')} does no harm`, { timeout: 600_000 }, t =>
    realPart(t, async () => {
      const cluster = await startEtcd(t, { size: 3 })
      const { faults } = await hubRun(createRandom(3), { cluster, only: until, count: 1, planted: [planted] })
      t.ok(faults.length > 0)
    }),
  )

import t from 'tap'
import { createRandom } from '../../support/random.js'
import { MissingRealPart, realPart } from '../../support/real-part.js'
import type { FaultName } from './faults.js'
import type { Planted, Way } from './replica-place.js'
import { replicaRun } from './replica-run.js'

/** Within so many runs each has to be found: a checker that has never caught a planted bug is not trusted. */
const runs = 20

const hubKills: readonly FaultName[] = ['agent and hub killed', 'hub killed', 'hub killed again and again']
const kills: readonly FaultName[] = ['agent and hub killed', 'hub killed', 'agent killed while the hub is away']
/** What tells that a bug was found, and not that the machine was busy. */
const isLost =
  /no checkpoint of that name|writes, of \d+ that were confirmed|is not what was written|has \d+ writes, and is of/
const isApart = /of \d+ writes sector/
const plants: Readonly<Record<string, { planted: Planted; only: readonly FaultName[]; tells: readonly RegExp[] }>> = {
  'a record is acknowledged before it is synced': {
    planted: { hub: 'planted/acknowledged-before-sync.js' },
    only: hubKills,
    tells: [isLost],
  },
  'the bitmap is cleared before the hub has the data': {
    planted: { agent: 'planted/cleared-before-acknowledged.js' },
    only: kills,
    tells: [isLost, isApart, /is not the guest's/],
  },
  'all is sent after an outage': {
    planted: { agent: 'planted/sends-more.js' },
    only: ['agent killed', 'agent killed while the hub is away', 'link slow', 'link silent'],
    tells: [/was sent, which nobody had written/],
  },
  'points are not of one moment of all disks': {
    planted: { hub: 'planted/disks-apart.js' },
    only: ['link cut'],
    tells: [isApart],
  },
}

const all = (['inline', 'cycles', 'child'] satisfies Way[]).flatMap(way =>
  Object.entries(plants).map(([name, plant]) => ({ way, name, ...plant })),
)
/** So many of them, and the next ones on the next day: PLANTS. All by default. */
const { PLANTS } = process.env
const count = Number(PLANTS ?? all.length)
const first = Math.floor(Date.now() / 86_400_000) * count
const chosen = all.map((_, place) => all[(first + place) % all.length]!).slice(0, count)

for (const { way, name, planted, only, tells } of chosen)
  t.test(`the fault runs find by ${way}: ${name}`, t =>
    realPart(t, async () => {
      for (let seed = 1; seed <= runs; seed++)
        try {
          await replicaRun(createRandom(seed), { way, planted, only })
        } catch (error) {
          if (error instanceof MissingRealPart) throw error
          const { message } = error as Error
          t.comment(`seed ${seed}: ${message}`)
          if (!tells.some(one => one.test(message))) continue
          t.pass(`${name}: found by run ${seed} of ${runs}`)
          return
        }
      t.fail(`${name}: not found in ${runs} runs`)
    }),
  )

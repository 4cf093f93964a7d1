import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { type LeaseError, type LeaseState, openEtcd } from 'xenlight/lease'
import { eventually } from '../../protocol-d/eventually.js'
import { createRandom } from '../../support/random.js'
import { realPart } from '../../support/real-part.js'
import { leaderOf, startEtcd } from './etcd-daemons.js'
import { lineWriters } from './line-writers.js'
import { checkTaken, readLines } from './written-lines.js'

const { SEED, COUNT = '20' } = process.env
const first = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)
/** Long enough for a cluster to elect another leader, and for a try at each member. */
const ttl = 10_000

t.test(
  `a holder goes on while members of a cluster are killed and stopped, one at a time, SEED=${first} COUNT=${COUNT}`,
  { timeout: 3_000_000 },
  t =>
    realPart(t, async () => {
      const cluster = await startEtcd(t, { size: 3 })
      const { members } = cluster
      const writers = lineWriters(t, cluster.options.endpoints, ttl)
      const anna = writers.start('anna')
      await anna.until(/held 1\n/)
      const berta = writers.start('berta')
      const random = createRandom(first)
      const faults = { killed: 0, stopped: 0, leaders: 0 }
      using etcd = openEtcd(cluster.options)
      const over = new AbortController()
      const said: LeaseState[] = []
      const watch = (async () => {
        for await (const state of etcd.leases.watch('other', { signal: over.signal })) said.push(state)
      })().catch(error => error as LeaseError)
      const answers = () =>
        eventually('the cluster answers', () =>
          etcd.leases.look('none').then(
            () => true,
            () => false,
          ),
        )
      for (let fault = 0; fault < Number(COUNT); fault++) {
        const leader = await leaderOf(members)
        const member = random.chance(0.6) && leader !== undefined ? leader : random.pick(members)
        if (member === leader) faults.leaders++
        // now and then longer than the lease lasts
        const time = random.chance(0.3) ? ttl + random.int(4000) : random.int(5000)
        if (random.chance(0.4)) {
          faults.killed++
          await member.end()
          await delay(time)
          member.start()
        } else {
          faults.stopped++
          member.signal('SIGSTOP')
          await delay(time)
          member.signal('SIGCONT')
        }
        await answers()
        // somebody else's lease goes from hand to hand, and a watch that goes on all the time says so
        const grant = await etcd.leases.acquire('other', { holder: `holder ${fault}`, ttl })
        await etcd.leases.release(grant)
        const isSaid = () =>
          [`holder ${fault}`, undefined].every(holder =>
            said.some(one => one.epoch === fault + 1 && one.holder === holder),
          )
        await eventually('the watch says who had it', isSaid, () => JSON.stringify(said))
        // that it is whole again: the next one may be another
        for (const { endpoint } of members) {
          using one = openEtcd({ endpoints: [endpoint] })
          await eventually(`${endpoint} answers`, () =>
            one.leases.look('none').then(
              () => true,
              () => false,
            ),
          )
        }
        const { taken, refused } = readLines(writers.file)
        checkTaken(taken)
        t.equal(refused.length, 0, `fault ${fault}: ${member === leader ? 'the leader' : 'another'} for ${time} ms`)
      }
      const before = readLines(writers.file).taken.length
      await eventually('somebody writes', () => readLines(writers.file).taken.length > before + 10)
      await writers.end()
      over.abort()
      t.match(await watch, { code: 'canceled' }, 'the watch went on all the time')
      t.strictSame(
        said.map(({ epoch }) => epoch),
        [0, ...Array.from({ length: Number(COUNT) }, (_, fault) => [fault + 1, fault + 1]).flat()],
        'it says each once',
      )
      const { taken } = readLines(writers.file)
      const longest = taken.reduce(
        (most, line, index) => Math.max(most, line.time - (taken[index - 1] ?? line).time),
        0,
      )
      t.equal(taken.at(-1)!.epoch, 1, `one holder all the time: ${anna.stdout()}${berta.stdout()}`)
      const { killed, stopped, leaders } = faults
      t.comment(
        `faults: ${killed} members killed, ${stopped} stopped, ${leaders} of them leaders; ${taken.length} lines in 1 epoch, ${longest} ms between two at most`,
      )
    }),
)

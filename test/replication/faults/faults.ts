import { appendFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../support/random.js'
import { aWhile, group } from './replica-place.js'
import type { WatchedRun } from './watched-run.js'

/** What happens to one of the parts; afterwards all is well again, but for what has to be caught up with. */
type Fault = (run: WatchedRun) => Promise<void>

/** By how much a clock is wrong, in milliseconds. */
const jumps = [-86_400_000, -3_600_000, -5000, -300, 300, 5000, 3_600_000]
/** Longer than an end may be silent. */
const longSilence = 7500

export const faults = {
  async 'hub killed'({ place, random }) {
    await place.hub.kill()
    await aWhile(random, 800)
    place.hub.start()
  },
  async 'hub killed in the middle of a record'({ place, random }) {
    await place.hub.kill()
    tear(join(place.options.data, 'groups', group), random)
    place.hub.start()
  },
  async 'hub killed again and again'({ place, random }) {
    for (let left = 3; left > 0; left--) {
      await place.hub.kill()
      place.hub.start()
      await aWhile(random, 400)
    }
  },
  async 'hub frozen'({ place, random }) {
    place.hub.signal('SIGSTOP')
    await aWhile(random, 1500)
    place.hub.signal('SIGCONT')
  },
  async 'agent killed'(run) {
    const { place, random } = run
    await withoutAgent(run, async () => {
      await place.agent.kill()
      await aWhile(random, 500)
      place.agent.start()
    })
  },
  async 'agent killed while the hub is away'(run) {
    const { place, random, link } = run
    await link.cut()
    // its files are brought up to date every two seconds
    await delay(1000 + random.int(1500))
    await withoutAgent(run, async () => {
      await place.agent.kill()
      place.agent.start()
      await link.resume()
    })
  },
  async 'agent frozen'(run) {
    const { place, random } = run
    // a running QEMU waits for it, too: the agent cannot cut itself off
    await run.standingStill(async () => {
      place.agent.signal('SIGSTOP')
      await aWhile(random, 1000)
      place.agent.signal('SIGCONT')
    })
  },
  async 'agent and hub killed'(run) {
    const { place } = run
    await withoutAgent(run, async () => {
      await Promise.all([place.agent.kill(), place.hub.kill()])
      place.hub.start()
      place.agent.start()
    })
  },
  async 'guest killed'({ place, killedAt }) {
    killedAt.push(await place.restartGuest())
  },
  async 'guest frozen'({ place, random }) {
    await place.freezeGuest(random.int(1000))
  },
  async 'link cut'({ link, random }) {
    await link.cut()
    await aWhile(random, 800)
    await link.resume()
  },
  async 'link silent'({ link, random }) {
    await link.stall()
    await (random.chance(0.15) ? delay(longSilence) : aWhile(random, 1500))
    await link.resume()
  },
  async 'link slow'({ link, random }) {
    const [carries, waits] = [5 + random.int(20), 50 + random.int(100)]
    for (let left = 8; left > 0; left--) {
      await link.stall()
      await delay(waits)
      await link.resume()
      await delay(carries)
    }
  },
  async 'hub killed behind a silent link'({ place, link, random }) {
    await link.stall()
    await place.hub.kill()
    place.hub.start()
    await aWhile(random, 500)
    await link.resume()
  },
  async 'clock of the agent jumps'({ place, random }) {
    place.shiftClock('agent', random.pick(jumps))
    await aWhile(random, 500)
  },
  async 'clock of the hub jumps'({ place, random }) {
    place.shiftClock('hub', random.pick(jumps))
    await aWhile(random, 500)
  },
  async 'disk of the hub full'({ place, random }) {
    const filler = join(place.options.data, 'filler')
    try {
      for (;;) appendFileSync(filler, Buffer.alloc(256 * 1024))
    } catch {
      // full
    }
    await aWhile(random, 1000)
    rmSync(filler)
  },
} satisfies Record<string, Fault>

export type FaultName = keyof typeof faults

/** Those that can happen. */
export const faultsOf = ({ isSmall }: { isSmall: boolean }): FaultName[] =>
  (Object.keys(faults) as FaultName[]).filter(name => isSmall || name !== 'disk of the hub full')

/** An agent that serves the disks is needed by the guest; any other one is not. */
function withoutAgent(run: WatchedRun, work: () => Promise<void>): Promise<void> {
  return run.place.options.way === 'inline' ? run.standingStill(work) : work()
}

/** Half a record behind the newest segment's last one, as a crash leaves it. */
function tear(folder: string, random: Random): void {
  const segments = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.seg'))
  const newest = segments.sort().at(-1)
  if (newest !== undefined) appendFileSync(join(folder, newest), Buffer.alloc(1 + random.int(5000), random.int(256)))
}

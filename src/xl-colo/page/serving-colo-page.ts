import type { PairEvent } from '../../colo/pair/pair-event.js'
import type { PageChoice } from '../../command-line/page-choice.js'
import { servingPage } from '../../command-line/serving-page.js'
import { ColoPage, type SideName } from '../../page/colo-page.js'
import type { Qmp } from '../../qmp/qmp.js'
import { lookAtSide } from './look-at-side.js'

/** The two sides' monitors: the secondary's may be another one later. */
export type LookedAt = Record<SideName, Qmp | undefined>

/** A page that hears what happens to a pair. */
export interface ServedColoPage extends AsyncDisposable {
  event(event: PairEvent): void
}

/** How often the page hears how all is, and its sides are looked at, in milliseconds. */
const every = 1000
const lookEvery = 3000
/** How long a look may take. A monitor may wait for the other side. */
const lookTimeout = 5000

/** Serves a pair's page; nothing without a choice. @throws SystemError, LinkError */
export async function servingColoPage(
  choice: PageChoice | undefined,
  { epoch, every: interval, sides }: { epoch: number; every: number; sides: LookedAt },
): Promise<ServedColoPage> {
  if (choice === undefined) return { event() {}, async [Symbol.asyncDispose]() {} }
  const page = new ColoPage({ epoch, every: interval })
  const serving = await servingPage(choice, { every, view: () => page.view(Date.now()) })
  const over = new AbortController()
  const { signal } = over
  const looking = new Set<SideName>()
  const look = () => {
    for (const name of ['primary', 'secondary'] as const) {
      const qmp = sides[name]
      // one at a time: a monitor that is silent is not asked again and again
      if (qmp === undefined || looking.has(name)) continue
      looking.add(name)
      void lookAtSide(qmp, { timeout: lookTimeout, signal }).then(seen => {
        looking.delete(name)
        if (!signal.aborted) page.seen(name, seen, Date.now())
      })
    }
  }
  look()
  const timers = [setInterval(look, lookEvery), setInterval(() => page.tick(Date.now()), every)]
  return {
    event: event => page.event(event, Date.now()),
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer)
      over.abort()
      await serving[Symbol.asyncDispose]()
    },
  }
}

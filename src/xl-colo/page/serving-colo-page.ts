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
/** After how long a side counts as silent that was asked. A monitor may wait for the other side. */
const silentAfter = 5000

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
  const asked = new Map<SideName, number>()
  const look = () => {
    for (const name of ['primary', 'secondary'] as const) {
      const qmp = sides[name]
      if (qmp === undefined) continue
      const since = asked.get(name)
      if (since === undefined) {
        asked.set(name, performance.now())
        void lookAtSide(qmp, signal).then(seen => {
          asked.delete(name)
          if (!signal.aborted) page.seen(name, seen, Date.now())
        })
        // what QEMU was asked waits there, and eight of those would hold up what cuts a side off
      } else if (performance.now() - since > silentAfter)
        page.seen(name, { error: new Error(`it has said nothing for ${silentAfter / 1000} s`) }, Date.now())
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

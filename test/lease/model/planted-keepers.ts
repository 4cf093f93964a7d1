import type { Grant, LeaseStore } from 'xenlight/lease'
import type { Keeper, Planted } from './live.js'

/** Says that it has a lease until a timer says that it ends: without a margin, and whatever else goes on before the timer is called. */
class TimerKeeper implements Keeper {
  readonly epoch: number
  renewals = 0
  readonly #store: LeaseStore
  readonly #margin: number
  #grant: Grant
  #isHeld: boolean
  #timer: Disposable | undefined

  constructor(store: LeaseStore, grant: Grant, margin: number) {
    this.epoch = grant.epoch
    this.#store = store
    this.#margin = margin
    this.#grant = grant
    this.#isHeld = store.clock.uptime() < grant.since + grant.ttl - margin
    this.#wait()
    this.#renewLater()
  }

  isHeld(): boolean {
    return this.#isHeld
  }

  release(): Promise<void> {
    this.#isHeld = false
    return this.#store.release(this.#grant)
  }

  #wait(): void {
    this.#timer?.[Symbol.dispose]()
    const { since, ttl } = this.#grant
    this.#timer = this.#store.clock.after(since + ttl - this.#margin - this.#store.clock.uptime(), () => {
      this.#isHeld = false
    })
  }

  #renewLater(): void {
    this.#store.clock.after(this.#grant.ttl / 3, async () => {
      if (!this.#isHeld) return
      try {
        this.#grant = await this.#store.renew(this.#grant)
        this.renewals++
        this.#wait()
      } catch {
        // the timer goes on
      }
      this.#renewLater()
    })
  }
}

/** What the model has to find. */
export const plants: Readonly<Record<string, Planted>> = {
  'a timer and no margin': { keeper: (store, grant) => new TimerKeeper(store, grant, 0) },
  'a timer, with a margin': { keeper: (store, grant) => new TimerKeeper(store, grant, grant.ttl / 10 + 500) },
  'a time that is counted from the answer': {
    store: store => ({
      clock: store.clock,
      acquire: async (name, options) => ({ ...(await store.acquire(name, options)), since: store.clock.uptime() }),
      renew: async (grant, options) => ({ ...(await store.renew(grant, options)), since: store.clock.uptime() }),
      release: (grant, options) => store.release(grant, options),
      look: (name, options) => store.look(name, options),
      watch: (name, options) => store.watch(name, options),
    }),
  },
}

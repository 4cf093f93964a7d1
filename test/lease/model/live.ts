import { type Grant, holdLease, type LeaseKeeper, type LeaseStore } from 'xenlight/lease'
import { EtcdLeaseStore } from '#xenlight/lease/etcd/etcd-lease-store.js'
import { LeaseKeys } from '#xenlight/lease/etcd/lease-keys.js'
import { createRandom, type Random } from '../../support/random.js'
import { ModelEtcd } from './model-etcd.js'
import { modelGateway } from './model-gateway.js'
import { ModelProcess, World } from './world.js'

/** Who has a lease, as far as it knows. */
export type Keeper = Pick<LeaseKeeper, 'epoch' | 'isHeld' | 'release' | 'renewals'>

/** What is put in the place of the real things. */
export interface Planted {
  /** Keeps a lease. */
  keeper?: (store: LeaseStore, grant: Grant) => Keeper
  store?: (store: LeaseStore) => LeaseStore
}

export interface Life {
  seed: number
  /** Of the lease, in milliseconds. */
  ttl: number
  /** How many want the lease. */
  holders: number
  /** How far a clock may go wrong, of 1. */
  drift: number
}

export interface Lived {
  acquired: number
  renewed: number
  lost: number
  released: number
  stopped: number
}

const lifetime = 60_000

/**
 * Lets some processes want one lease for a minute: they are stopped, their clocks go at rates of their own, their messages are lost, late or there
 * twice. Looks at whatever happens.
 *
 * @throws Error where two have it at one time, or an epoch is not higher than all before
 */
export async function live({ seed, ttl, holders, drift }: Life, planted: Planted = {}): Promise<Lived> {
  const random = createRandom(seed)
  const world = new World()
  const etcd = new ModelEtcd(() => world.time)
  const lived: Lived = { acquired: 0, renewed: 0, lost: 0, released: 0, stopped: 0 }
  const over = new AbortController()
  const kept = new Map<number, Keeper>()
  let highest = 0
  const problems: string[] = []
  const network = {
    slowest: random.int(ttl),
    lost: random.int(30) / 100,
    twice: random.int(20) / 100,
    timeout: 500 + random.int(ttl),
  }
  for (let holder = 0; holder < holders; holder++) {
    const rate = 1 + (drift * (random.int(2001) - 1000)) / 1000
    const process = new ModelProcess(world, rate, random.int(1_000_000))
    const gateway = modelGateway({ etcd, world, process, random }, network)
    const real = new EtcdLeaseStore(gateway, process.clock, new LeaseKeys())
    const store = planted.store?.(real) ?? real
    void wantForEver(
      { store, holder, process, random, ttl, planted },
      keeper => {
        if (over.signal.aborted) return
        const before = kept.get(holder)
        if (before !== undefined) lived.renewed += before.renewals
        lived.acquired++
        if (keeper.epoch <= highest) problems.push(`epoch ${keeper.epoch} after ${highest}`)
        highest = Math.max(highest, keeper.epoch)
        kept.set(holder, keeper)
      },
      lived,
    )
    const stops = () => {
      process.stop(random.int(ttl * 2))
      lived.stopped++
      world.later(random.int(ttl * 12), stops)
    }
    world.later(random.int(ttl * 12), stops)
  }
  await world
    .run(lifetime, () => {
      const those = [...kept]
        .filter(([, keeper]) => keeper.isHeld())
        .map(([holder, { epoch }]) => `${holder} in ${epoch}`)
      if (those.length > 1) problems.push(`at ${Math.round(world.time)} ms these have it: ${those.join(', ')}`)
      if (problems.length > 0) throw new Error(problems[0])
    })
    .finally(() => over.abort())
  return lived
}

interface Want {
  store: LeaseStore
  holder: number
  process: ModelProcess
  random: Random
  ttl: number
  planted: Planted
}

/** Acquires the lease whenever it has it not; at times gives it up. */
async function wantForEver(
  { store, holder, process, random, ttl, planted }: Want,
  has: (keeper: Keeper) => void,
  lived: Lived,
): Promise<never> {
  const pause = (time: number) => new Promise<void>(resolve => process.clock.after(time, resolve))
  for (;;) {
    await pause(random.int(ttl / 4))
    let keeper: Keeper
    try {
      const options = { holder: `holder ${holder}`, ttl }
      keeper =
        planted.keeper === undefined
          ? await holdLease(store, 'web', { ...options, wait: random.chance(0.5) })
          : planted.keeper(store, await store.acquire('web', options))
    } catch {
      continue
    }
    if (!keeper.isHeld()) continue
    has(keeper)
    const end = process.clock.uptime() + random.int(ttl * 6)
    while (keeper.isHeld() && process.clock.uptime() < end) await pause(random.int(200))
    if (!keeper.isHeld()) lived.lost++
    else {
      lived.released++
      await keeper.release().catch(() => {})
    }
  }
}

import type { Catalogue } from 'xenlight/lease'
import { EtcdCatalogue } from '#xenlight/lease/etcd/etcd-catalogue.js'
import { EtcdLeaseStore } from '#xenlight/lease/etcd/etcd-lease-store.js'
import { LeaseKeys } from '#xenlight/lease/etcd/lease-keys.js'
import { LeasedPair } from '#xenlight/leased-pair/leased-pair.js'
import { ModelEtcd } from '../../lease/model/model-etcd.js'
import { modelGateway } from '../../lease/model/model-gateway.js'
import { ModelProcess, World } from '../../lease/model/world.js'
import { createRandom } from '../../support/random.js'
import { anna, berta } from '../played-status.js'
import { type ModelDisk, ModelPair } from './model-pair.js'

/** What is put in the place of the real things. */
export interface Planted {
  catalogue?: (catalogue: Catalogue) => Catalogue
  /** Whether a guest is answered. */
  isHeld?: (pair: LeasedPair) => boolean
}

export interface Lived {
  promotions: number
  promised: number
  alone: number
  equal: number
  crashes: number
  stops: number
}

const lifetime = 120_000
const ttl = 4000

/**
 * Lets a pair live for two minutes: its nodes crash, are stopped, lose each other, and have a bad network to etcd. Looks at whatever happens.
 *
 * @throws Error where two serve at one time, or one serves that lacks what was promised
 */
export async function live(seed: number, planted: Planted = {}): Promise<Lived> {
  const random = createRandom(seed)
  const world = new World()
  const etcd = new ModelEtcd(() => world.time)
  const pair = new ModelPair()
  const lived: Lived = { promotions: 0, promised: 0, alone: 0, equal: 0, crashes: 0, stops: 0 }
  const promised = new Set<number>()
  const served = new Map<ModelDisk, LeasedPair>()
  const isHeld = planted.isHeld ?? (one => one.isHeld())
  const promotions = new Set<number>()
  let writes = 0
  const network = { slowest: random.int(ttl / 2), lost: random.int(15) / 100, twice: random.int(15) / 100 }

  const start = (index: 0 | 1) => {
    const disk = pair.disks[index]
    const process = new ModelProcess(world, 1 + (random.int(101) - 50) / 1000, random.int(1_000_000))
    const gateway = modelGateway({ etcd, world, process, random }, { ...network, timeout: 1000 })
    const keys = new LeaseKeys()
    const catalogue = new EtcdCatalogue(gateway, process.clock, keys)
    disk.begin(process)
    const leased = new LeasedPair({
      ...{ leases: new EtcdLeaseStore(gateway, process.clock, keys), name: 'web', ttl },
      ...{ catalogue: planted.catalogue?.(catalogue) ?? catalogue, self: index === 0 ? anna : berta },
    })
    leased.begin(disk)
    served.set(disk, leased)
    const repeat = (time: number, call: () => void) => {
      const again = () => {
        if (disk.process !== process) return
        call()
        process.later(time, again)
      }
      process.later(time, again)
    }
    // the guest
    repeat(50, () => {
      if (disk.role !== 'primary' || !isHeld(leased)) return
      const { connection } = disk
      if (!disk.write(++writes)) return
      promised.add(writes)
      lived.promised++
      lived[connection === 'equal' ? 'equal' : 'alone']++
    })
    // what asks for the arbiter
    let isAsking = false
    const ask = async () => {
      const { promotion } = disk
      if (disk.asksAlone) {
        await leased.mayGoOnAlone(promotion, {})
        if (disk.process === process && disk.promotion === promotion && disk.asksAlone) disk.mayGoOnAlone = true
      } else if (disk.role === 'primary' && disk.connection === 'equal') await leased.isEqual(promotion, {})
    }
    repeat(200, () => {
      if (isAsking) return
      isAsking = true
      void ask()
        .catch(() => {})
        .finally(() => {
          isAsking = false
        })
    })
    if (pair.isUp) pair.link(true)
  }

  const crash = (index: 0 | 1) => {
    const disk = pair.disks[index]
    if (!disk.isThere) return
    lived.crashes++
    disk.process!.stop(Number.MAX_SAFE_INTEGER)
    served.get(disk)!.ending()
    served.delete(disk)
    disk.begin(undefined)
    pair.link(pair.isUp)
    world.later(random.int(ttl * 3), () => start(index))
  }

  const misfortune = () => {
    const index = random.int(2) as 0 | 1
    const kind = random.int(4)
    if (kind === 0) crash(index)
    else if (kind === 1) {
      lived.stops++
      pair.disks[index].process?.stop(random.int(ttl * 2))
    } else {
      pair.link(false)
      world.later(random.int(ttl * 2), () => pair.link(true))
    }
    world.later(random.int(ttl * 4), misfortune)
  }

  start(0)
  start(1)
  pair.link(true)
  world.later(ttl, misfortune)
  try {
    await world.run(lifetime, () => {
      const serving = [...served].filter(([disk, leased]) => disk.role === 'primary' && isHeld(leased))
      for (const [disk] of serving) promotions.add(disk.promotion)
      if (serving.length > 1) throw new Error(`at ${Math.round(world.time)} ms both serve`)
      const lost = serving[0]?.[0].lacks(promised)
      if (lost !== undefined)
        throw new Error(`at ${Math.round(world.time)} ms the write ${lost} is lost, which was promised`)
    })
  } finally {
    for (const leased of served.values()) leased.ending()
  }
  return { ...lived, promotions: promotions.size }
}

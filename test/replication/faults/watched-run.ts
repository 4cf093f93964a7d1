import { setTimeout as delay } from 'node:timers/promises'
import type { Network } from '../../protocol-d/network.js'
import { createRandom, type Random } from '../../support/random.js'
import { aWhile, group, type ReplicaPlace } from './replica-place.js'

/** A guest that writes, and all that is said of its copy meanwhile. */
export class WatchedRun {
  readonly place: ReplicaPlace
  readonly random: Random
  readonly link: Network
  /** Named checkpoints: how many writes were reported before it was asked for, and when it was there. */
  readonly named = new Map<string, { least: number; most: number }>()
  /** How many writes the hub has for sure, as the agent said. */
  confirmed = 0
  /** How often that was held against what the hub has. */
  held = 0
  /** Positions that the hub has offered as its newest, and how many writes were reported by then. */
  readonly offered: { position: number; most: number }[] = []
  /** The longest time that the guest stood still while it was to go on, in milliseconds. */
  pause = 0
  /** How many writes the disks had when QEMU was killed. */
  readonly killedAt: number[] = []
  /** By this process's uptime: the hub had all. */
  readonly startedAt = performance.now()
  /** What has happened, by this process's uptime. */
  readonly faults: { name: string; from: number; to: number }[] = []
  readonly #samples: { at: number; reported: number }[] = []
  /** Its own: what happens is not to depend on how often somebody asks. */
  readonly #pauses: Random
  #problem: string | undefined
  #standstills = 0
  #isOver = false
  readonly #watching: Promise<void>
  readonly #asking: Promise<void>

  constructor(place: ReplicaPlace, link: Network, random: Random) {
    this.place = place
    this.link = link
    this.random = random
    this.#pauses = createRandom(random.int(2 ** 31))
    this.#watching = this.#watch()
    this.#asking = this.#ask()
    // who ends the run hears of it
    this.#asking.catch(() => {})
  }

  /** The guest may stand still while this is done. */
  async standingStill(work: () => Promise<void>): Promise<void> {
    this.#standstills++
    try {
      await work()
      // QEMU tries to connect again after 1, 2, 4 seconds
      const before = this.place.reported()
      for (let left = 1000; left > 0 && this.place.reported() === before; left--) {
        await delay(50)
        if (left % 10 === 0) await this.place.nudgeGuest().catch(() => {})
      }
    } finally {
      this.#standstills--
    }
  }

  /** @throws Error where the agent has said what was not so */
  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all([this.#watching, this.#asking])
  }

  /** How many writes were reported at a time. */
  reportedAt(time: number): number {
    return this.#samples.findLast(({ at }) => at <= time)?.reported ?? 0
  }

  /** When so many writes were reported, or a little later; of one that never was, when the last one was. */
  reportedSince(writes: number): number {
    const last = this.#samples.at(-1)!.reported
    return this.#samples.find(({ reported }) => reported >= Math.min(writes, last))!.at
  }

  /** Watches that the guest goes on. */
  async #watch(): Promise<void> {
    let before = this.place.reported()
    let since = performance.now()
    while (!this.#isOver) {
      const now = this.place.reported()
      const at = performance.now()
      this.#samples.push({ at, reported: now })
      if (now !== before || this.#standstills > 0 || !this.place.isGuestUp) {
        before = now
        since = at
      } else this.pause = Math.max(this.pause, at - since)
      await delay(20)
    }
  }

  /** Asks for checkpoints, and what is said. */
  async #ask(): Promise<void> {
    for (let count = 0; !this.#isOver; count++) {
      await aWhile(this.#pauses, 200)
      if (this.#standstills > 0 || !this.place.isGuestUp) continue
      if (count % 2 === 0) await this.#takePoint(`p${count}`).catch(() => {})
      else {
        // that of somebody who is gone is not known
        await this.#askAgent().catch(() => {})
        await this.#askHub().catch(() => {})
      }
      if (count % 8 === 7) await this.holdNewest(`now${count}`)
    }
  }

  async #takePoint(name: string): Promise<void> {
    const { place } = this
    const least = place.reported()
    await place.ask('agent', 'checkpoint', { group, name })
    this.named.set(name, { least, most: place.reported() + 1 })
  }

  /** A recovery point says how far back a recovery would go: whatever was reported before that, the hub has. */
  async #askAgent(): Promise<void> {
    const asked = performance.now()
    const { recoveryPoint, volumes } = await this.place.agentStatus()
    const { behind, target, isMet } = recoveryPoint
    if (isMet !== (behind !== undefined && behind <= target))
      this.#problem ??= `the recovery point is said to be ${isMet ? '' : 'not '}met: ${JSON.stringify(recoveryPoint)}`
    const claimed = volumes.find(({ state }) => state.state === 'protected')
    if (behind === undefined) {
      if (claimed !== undefined) this.#problem ??= `${claimed.name} is protected, and there is no recovery point`
    } else this.confirmed = Math.max(this.confirmed, this.reportedAt(asked - behind * 1000))
  }

  async #askHub(): Promise<void> {
    const newest = (await this.place.hubStatus())?.newest
    if (newest !== undefined) this.offered.push({ position: newest.position, most: this.place.reported() + 1 })
  }

  /** @throws Error where the newest moment has less than was confirmed, or is none */
  async holdNewest(branch: string): Promise<void> {
    const { place, confirmed } = this
    if (this.#problem !== undefined) throw new Error(this.#problem)
    let images: Buffer[]
    try {
      images = await place.imagesAt({ newest: true }, branch)
    } catch {
      // it is gone, or has no room
      return
    }
    const writes = place.writesIn(images)
    this.held++
    if (writes < confirmed) throw new Error(`the hub has ${writes} writes, of ${confirmed} that were confirmed`)
  }
}

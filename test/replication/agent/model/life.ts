import { Buffer } from 'node:buffer'
import type { HubLink } from '#xenlight/replication/agent/hub-link.js'
import { ProtectedGroup } from '#xenlight/replication/agent/protected-group.js'
import { granuleSize, type Message } from '#xenlight/replication/wire/message.js'
import { createRandom, type Random } from '../../../support/random.js'
import { Contents, stamped } from './contents.js'
import { ModelHub } from './model-hub.js'
import { PlayedBytes, sector } from './played-bytes.js'
import { PlayedClock } from './played-clock.js'
import { PlayedImage } from './played-image.js'

const everythingElse = () => new Promise<void>(resolve => setImmediate(resolve))

/** How often something happened, over many lives. */
export type Counts = Record<
  | ('writes' | 'fills' | 'settled' | 'protected' | 'crashes' | 'hostCrashes')
  | ('overflows' | 'points' | 'failedWrites' | 'followed'),
  number
>

/**
 * One random life of a group: an agent, its hub, and all that may befall them; each number decides what happens next. Afterwards all is well again,
 * and the replica must become what the disks are. What must be so is checked as it goes.
 */
class Life {
  readonly story: string[] = []
  readonly counts: Counts = {
    ...{ writes: 0, fills: 0, settled: 0, protected: 0, crashes: 0, hostCrashes: 0, overflows: 0, points: 0 },
    ...{ failedWrites: 0, followed: 0 },
  }
  readonly #random: Random
  readonly #sizes: number[]
  readonly #images: PlayedBytes[]
  readonly #metas: PlayedBytes[]
  readonly #isAsync: boolean
  readonly #memory: number
  /** How often something goes wrong. */
  readonly #trouble: number
  readonly #spill: number | undefined
  readonly #hub: ModelHub
  #clock = new PlayedClock()
  #backends: PlayedImage[] = []
  #group: ProtectedGroup | undefined
  #boot = 1
  #ids = 0
  #number = 0
  /** What the guest has written and was told so: the disks, but for what is under way. */
  #written: Contents
  /** The sums of all moments of the disks. */
  readonly #moments = new Set<string>()
  #underWay = 0
  /** Counts agents: what an earlier one answers is nobody's. */
  #lives = 0
  #link: Message[] | undefined
  /** Nothing is marked, or was for a while; and nothing is sent. Both outlive the agent. */
  #isUnprotected = false
  #isPaused = false
  #breach: string | undefined

  constructor(seed: number) {
    const random = createRandom(seed)
    this.#random = random
    this.#sizes = Array.from(
      { length: 1 + random.int(3) },
      () => (1 + random.int(6)) * granuleSize - random.pick([0, 0, sector, 8192]),
    )
    this.#images = this.#sizes.map(size => new PlayedBytes(size))
    this.#metas = this.#sizes.map(() => new PlayedBytes(0))
    this.#isAsync = random.chance(0.4)
    this.#trouble = random.pick([0.01, 0.04, 0.12])
    this.#memory = random.pick([4, 6, 16]) * granuleSize
    this.#spill = random.pick([undefined, undefined, 2 * granuleSize, 4 * granuleSize])
    this.#written = new Contents(this.#sizes)
    // a disk that is not empty
    for (const [volume, size] of this.#sizes.entries())
      if (random.chance(0.5)) {
        const offset = random.int(size / sector) * sector
        const length = Math.min(size - offset, (1 + random.int(200)) * sector)
        this.#images[volume]!.write(offset, stamped(++this.#number, length))
        this.#written.set(volume, offset, length, this.#number)
      }
    // or one that was copied there a moment ago
    if (random.chance(0.7))
      for (const image of this.#images) {
        void image.sync()
        image.endSync()
      }
    this.#noteMoment()
    this.#hub = new ModelHub(this.#sizes, random, {
      settled: contents => {
        this.counts.settled++
        if (!this.#moments.has(contents.sum)) {
          this.#fail('the hub offers a moment that the disks never had')
        }
      },
      taken: message => {
        if (message.kind === 'fill' || message.kind === 'fillZero') this.counts.fills++
        if (message.kind === 'unsettled' && message.reason.includes('queue')) this.counts.overflows++
      },
      followed: () => {
        this.counts.followed++
      },
      breach: what => this.#fail(what),
    })
  }

  async run(steps: number): Promise<void> {
    await this.#open()
    for (let step = 0; step < steps; step++) {
      await this.#step()
      await this.#check()
    }
    await this.#heal()
  }

  async #step(): Promise<void> {
    const random = this.#random
    if (random.chance(this.#trouble)) {
      await this.#befall()
      return
    }
    const at = random.int(100)
    if (at < 28) this.#write()
    else if (at < 50) for (let steps = 1 + random.int(5); steps > 0; steps--) this.#clock.step()
    else if (at < 64) this.#deliver(1 + random.int(8))
    else if (at < 71) this.#hub.sync()
    else if (at < 80) this.#answer(1 + random.int(3))
    else if (at < 85) random.pick(this.#backends).step()
    else if (at < 91) random.pick([...this.#metas, ...this.#images]).endSync()
    else if (at < 94) this.#clock.pass(random.pick([1, 10, 100, 3000, 6000]))
    else if (at < 97) this.#connect()
    else
      for (let turns = 0; turns < 10; turns++) {
        this.#goOn()
        // what ends together may be told in another order than it was done
        await everythingElse()
      }
  }

  /** Something that goes wrong, or that somebody does. */
  async #befall(): Promise<void> {
    const random = this.#random
    const at = random.int(100)
    if (at < 12) this.#disconnect('the connection is cut')
    else if (at < 20) this.#hubCrash()
    else if (at < 23) this.#hubLoses()
    else if (at < 31) this.#hubFull()
    else if (at < 43) await this.#crash(false)
    else if (at < 53) await this.#crash(true)
    else if (at < 58) await this.#restart()
    else if (at < 63) this.#pause()
    else if (at < 67) await this.#unprotect()
    else if (at < 76) this.#point()
    else if (at < 82) random.pick(this.#backends).failing = 1
    else if (at < 86) this.#hub.isFrozen = !this.#hub.isFrozen
    else if (at < 88) this.#clock.jump(random.int(7200_000) - 3600_000)
    else for (let writes = random.int(20); writes > 0; writes--) this.#write()
  }

  // what the guest does

  #write(): void {
    const random = this.#random
    const volume = random.int(this.#sizes.length)
    const size = this.#sizes[volume]!
    const offset = random.int(size / sector) * sector
    const length = Math.min(size - offset, random.pick([1, 1, 2, 8, 64, 130]) * sector)
    const number = random.chance(0.1) ? 0 : ++this.#number
    const life = this.#lives
    const disk = this.#group!.volumes[volume]!
    const failed = () => {
      if (life !== this.#lives) return
      this.counts.failedWrites++
      this.#tell(`the write of ${number} fails`)
      this.#written.set(volume, offset, length, this.#images[volume]!.now.slice(offset, offset + length))
      this.#noteMoment()
    }
    const written = () => {
      if (life !== this.#lives) return
      this.#written.set(volume, offset, length, number)
      this.#noteMoment()
    }
    this.counts.writes++
    this.#tell(`volume ${volume}: ${number} at ${offset}+${length}`)
    try {
      const data = stamped(number, length)
      const done = number === 0 ? disk.writeZeroes(offset, length) : disk.write(offset, data)
      if (done === undefined) {
        written()
        // its buffer is used for something else
        data.fill(0xff)
        return
      }
      this.#underWay++
      done
        .then(() => {
          written()
          data.fill(0xff)
        }, failed)
        .finally(() => {
          if (life === this.#lives) this.#underWay--
        })
    } catch {
      failed()
    }
  }

  #noteMoment(): void {
    this.#moments.add(this.#written.sum)
  }

  // the agent

  async #open(): Promise<void> {
    this.#lives++
    this.#underWay = 0
    this.#clock.forget()
    this.#backends = this.#images.map(
      (image, index) => new PlayedImage(image, this.#sizes[index]!, this.#isAsync, this.#random),
    )
    const { random, clock } = { random: this.#random, clock: this.#clock }
    const opened = ProtectedGroup.open({
      name: 'group',
      clock,
      boot: `boot-${this.#boot}`,
      newId: () => `stream-${++this.#ids}`,
      memory: this.#memory,
      spill: this.#spill === undefined ? undefined : { file: new SpilledBytes(), size: this.#spill },
      activity: { extentBlocks: 2, activeExtents: 3, roomAhead: random.int(2) },
      isProtecting: !this.#isUnprotected,
      pausedSince: this.#isPaused ? 1 : undefined,
      volumes: this.#images.map((_, index) => ({
        name: `disk${index}`,
        number: index,
        id: `id-${index}`,
        image: this.#backends[index]!,
        files: this.#filesOf(index),
      })),
    })
    this.#group = await this.#awaited(opened)
  }

  #filesOf(index: number) {
    const meta = this.#metas[index]!
    const backend = this.#backends[index]!
    return {
      syncImage: () => backend.flush(),
      discardMeta: () => this.#fail('the metadata is discarded'),
      meta: {
        get size() {
          return meta.now.length
        },
        readInto(offset: number, target: Uint8Array) {
          const bytes = meta.now.subarray(offset, offset + target.length)
          target.set(bytes)
          return bytes.length
        },
        write: (offset: number, data: Uint8Array) => meta.write(offset, data),
        truncate() {},
        sync: () => meta.sync(),
        close() {},
      },
    }
  }

  /** Has all that is under way end, until this is. */
  async #awaited<Value>(promise: Promise<Value>): Promise<Value> {
    let isOver = false
    promise.then(
      () => {
        isOver = true
      },
      () => {
        isOver = true
      },
    )
    for (let turns = 0; !isOver; turns++) {
      if (turns > 10_000) throw new Error('it never ends')
      for (const bytes of [...this.#metas, ...this.#images]) bytes.endSync()
      for (const backend of this.#backends) backend.step()
      await everythingElse()
    }
    return promise
  }

  async #crash(isHost: boolean): Promise<void> {
    const random = this.#random
    this.counts[isHost ? 'hostCrashes' : 'crashes']++
    this.#tell(isHost ? 'the host crashes' : 'the agent crashes')
    this.#lives++
    // some of what it had sent arrives
    if (random.chance(0.5)) this.#deliver(random.int(20))
    this.#disconnect('its connection is gone')
    for (const backend of this.#backends) {
      while (backend.isBusy && random.chance(0.7)) backend.step()
      backend.crash()
    }
    for (const bytes of [...this.#metas, ...this.#images]) bytes.crash(isHost, random)
    if (isHost) this.#boot++
    for (const [volume, { now }] of this.#images.entries()) this.#written.set(volume, 0, now.length, now)
    this.#noteMoment()
    await this.#open()
  }

  async #restart(): Promise<void> {
    this.#tell('the agent is ended and started')
    await this.#awaited(this.#group!.close())
    this.#disconnect('its connection is gone')
    await this.#open()
  }

  #pause(): void {
    this.#tell(this.#isPaused ? 'resume' : 'pause')
    this.#isPaused = !this.#isPaused
    if (this.#isPaused) this.#group!.pause()
    else this.#group!.resume()
  }

  async #unprotect(): Promise<void> {
    this.#tell(this.#isUnprotected ? 'start' : 'stop')
    if (this.#isUnprotected) {
      await this.#awaited(this.#group!.start())
      this.#isUnprotected = false
    } else {
      this.#isUnprotected = true
      await this.#awaited(this.#group!.stop())
    }
  }

  #point(): void {
    const name = `p${++this.#number}`
    this.#group!.point(name).then(
      () => {
        this.counts.points++
        if (!this.#hub.isLost && !this.#hub.durable.points.includes(name)) this.#fail(`the hub lacks point ${name}`)
      },
      () => {},
    )
  }

  // the hub and the way to it

  #connect(): void {
    if (this.#link !== undefined) return
    this.#tell('connected')
    const queue: Message[] = []
    this.#link = queue
    const clock = this.#clock
    const link: HubLink = {
      channel: 1,
      get unsent() {
        return queue.length > 10 ? 8_000_000 : 0
      },
      get heard() {
        return clock.uptime()
      },
      send: message => queue.push({ ...message }),
      reject: error => this.#fail(`the agent rejects the hub: ${error.message}`),
    }
    this.#group!.connected(link)
  }

  #disconnect(why: string): void {
    if (this.#link === undefined) return
    this.#tell(why)
    this.#link = undefined
    this.#hub.disconnected()
    this.#group!.disconnected()
  }

  #deliver(count: number): void {
    if (this.#link === undefined || this.#hub.isFrozen) return
    for (const message of this.#link.splice(0, count)) this.#hub.receive(message)
    if (this.#link.length <= 10) this.#group!.drained()
  }

  #answer(count: number): void {
    if (this.#link === undefined) return
    for (const message of this.#hub.outbox.splice(0, count)) {
      if (message.kind !== 'durable' && message.kind !== 'bytes') this.#tell(`the hub says ${JSON.stringify(message)}`)
      this.#group!.receive(message)
    }
  }

  #hubCrash(): void {
    this.#tell('the hub crashes')
    this.#hub.crash()
    this.#disconnect('its connections are gone')
  }

  #hubLoses(): void {
    this.#tell('the hub loses what it had')
    if (this.#random.chance(0.5)) this.#hub.loseReplica()
    else this.#hub.restoreBackup()
    this.#disconnect('its connections are gone')
  }

  #hubFull(): void {
    if (this.#random.chance(0.4)) {
      this.#tell('the hub is full')
      this.#hub.becomeFull()
    } else this.#hub.becomeReady()
  }

  // what must be so

  async #check(): Promise<void> {
    await everythingElse()
    if (this.#breach !== undefined) throw new Error(this.#breach)
    const group = this.#group!
    const { durable, isLost } = this.#hub
    const { volumes } = group.status
    const isProtected = volumes.every(({ state }) => state.state === 'protected')
    if (isProtected) {
      this.counts.protected++
      if (isLost || !durable.isSettled) throw new Error('the state is protected, and the hub has no moment')
      const lag = volumes.reduce(
        (sum, { state }) => sum + (state.state === 'protected' ? (state.lag.bytes ?? 0) : 0),
        0,
      )
      if (lag === 0 && this.#underWay === 0 && durable.contents.sum !== this.#written.sum)
        throw new Error('the state is protected without a lag, and the hub lacks something')
    }
    if (isLost || this.#isUnprotected) return
    for (const [volume, { ledger }] of group.volumes.entries())
      for (let granule = 0; granule * granuleSize < this.#sizes[volume]!; granule++)
        if (ledger.isEqual(granule) && durable.contents.sumOf(volume, granule) !== this.#written.sumOf(volume, granule))
          throw new Error(`granule ${granule} of volume ${volume} is taken for equal, and is not`)
  }

  /** All that can go on does. */
  #goOn(): void {
    this.#deliver(10)
    this.#hub.sync()
    this.#answer(10)
    for (let steps = 0; steps < 10; steps++) this.#clock.step()
    for (const bytes of [...this.#metas, ...this.#images]) bytes.endSync()
    for (const backend of this.#backends) backend.step()
  }

  async #heal(): Promise<void> {
    this.#tell('all is well from now on')
    this.#hub.isFrozen = false
    for (const backend of this.#backends) backend.failing = 0
    if (this.#isUnprotected) await this.#unprotect()
    this.#group!.resume()
    this.#hub.becomeReady()
    for (let turns = 0; turns < 2000; turns++) {
      this.#connect()
      this.#goOn()
      this.#clock.pass(turns % 10 === 0 ? 1000 : 1)
      await this.#check()
      const states = this.#group!.status.volumes.map(({ state }) => state)
      if (this.#underWay === 0 && states.every(state => state.state === 'protected' && state.lag.bytes === 0)) {
        this.#checkEqual()
        return
      }
    }
    throw new Error(`it never becomes protected: ${JSON.stringify(this.#group!.status)}`)
  }

  #checkEqual(): void {
    for (const [volume, bytes] of this.#hub.durable.bytes.entries())
      if (!Buffer.from(bytes).equals(this.#images[volume]!.now)) throw new Error(`volume ${volume} differs at the end`)
  }

  #tell(what: string): void {
    this.story.push(what)
  }

  #fail(what: string): void {
    this.#breach ??= what
  }
}

/** A spill file that nothing befalls. */
class SpilledBytes {
  #bytes = Buffer.alloc(0)

  readInto(offset: number, target: Uint8Array): number {
    const bytes = this.#bytes.subarray(offset, offset + target.length)
    target.set(bytes)
    return bytes.length
  }

  write(offset: number, data: Uint8Array): void {
    const end = offset + data.length
    if (end > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(end - this.#bytes.length)])
    this.#bytes.set(data, offset)
  }

  truncate(size: number): void {
    this.#bytes = this.#bytes.subarray(0, size)
  }
}

/** Many lives, one seed after the other. @throws Error that says the seed, with the story */
export async function liveMany(first: number, count: number, steps = 300): Promise<Counts> {
  const totals: Partial<Counts> = {}
  for (let seed = first; seed < first + count; seed++) {
    const life = new Life(seed)
    try {
      await life.run(steps)
    } catch (error) {
      const story = life.story.slice(-60).join('\n  ')
      throw new Error(`SEED=${seed} LIVES=1: ${(error as Error).message}\n  ${story}`, { cause: error })
    }
    for (const [what, number] of Object.entries(life.counts) as [keyof Counts, number][])
      totals[what] = (totals[what] ?? 0) + number
  }
  return totals as Counts
}

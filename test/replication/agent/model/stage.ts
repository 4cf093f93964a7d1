import type { HubLink } from '#xenlight/replication/agent/hub-link.js'
import { type GroupOptions, ProtectedGroup } from '#xenlight/replication/agent/protected-group.js'
import type { ReplicationError } from '#xenlight/replication/replication-error.js'
import { granuleSize, type Message, type StreamMessage } from '#xenlight/replication/wire/message.js'
import type { Random } from '../../../support/random.js'
import { ModelHub } from './model-hub.js'
import { PlayedBytes } from './played-bytes.js'
import { PlayedClock } from './played-clock.js'
import { PlayedImage } from './played-image.js'

/** Nothing is left to chance. */
const never: Random = { int: () => 0, chance: () => false, pick: items => items[0]! }

/** A file of metadata that can be made to fail. */
export class PlayedMeta {
  readonly bytes = new PlayedBytes(0)
  failure: Error | undefined
  isDiscarded = false
  /** How often something was written. */
  writes = 0

  get size(): number {
    return this.bytes.now.length
  }

  readInto(offset: number, target: Uint8Array): number {
    const found = this.bytes.now.subarray(offset, offset + target.length)
    target.set(found)
    return found.length
  }

  write(offset: number, data: Uint8Array): void {
    if (this.failure !== undefined) throw this.failure
    this.writes++
    this.bytes.write(offset, data)
  }

  truncate(): void {}

  async sync(): Promise<void> {
    const done = this.bytes.sync()
    this.bytes.endSync()
    await done
  }

  close(): void {}
}

/** One group of volumes, whose images are written at once, with a hub that does at once what it is told, where nothing else is wanted. */
export class Stage {
  readonly clock = new PlayedClock()
  readonly images: PlayedBytes[]
  readonly metas: PlayedMeta[]
  readonly hub: ModelHub
  /** What the hub got, of all streams. */
  readonly taken: StreamMessage[] = []
  readonly rejections: ReplicationError[] = []
  backends: PlayedImage[] = []
  group!: ProtectedGroup
  boot = 'boot-1'
  #link: Message[] | undefined
  #ids = 0
  readonly #granules: readonly number[]

  constructor(granules: readonly number[]) {
    this.#granules = granules
    const sizes = granules.map(count => count * granuleSize)
    this.images = sizes.map(size => new PlayedBytes(size))
    this.metas = sizes.map(() => new PlayedMeta())
    this.hub = new ModelHub(sizes, never, {
      settled: () => {},
      taken: message => {
        this.taken.push(message)
      },
      followed: () => {},
      breach: what => {
        throw new Error(what)
      },
    })
  }

  async open(options: Partial<GroupOptions> = {}): Promise<ProtectedGroup> {
    this.clock.forget()
    this.disconnect()
    this.backends = this.images.map(
      (image, index) => new PlayedImage(image, this.#granules[index]! * granuleSize, false, never),
    )
    this.group = await ProtectedGroup.open({
      name: 'group',
      clock: this.clock,
      boot: this.boot,
      newId: () => `stream-${++this.#ids}`,
      volumes: this.backends.map((image, index) => ({
        ...{ name: `disk${index}`, number: index, id: `id-${index}`, image },
        files: {
          meta: this.metas[index]!,
          syncImage: async () => {
            const done = image.flush()
            this.images[index]!.endSync()
            await done
          },
          discardMeta: () => {
            this.metas[index]!.isDiscarded = true
          },
        },
      })),
      ...options,
    })
    return this.group
  }

  connect(): HubLink {
    const { clock, rejections } = this
    const queue: Message[] = []
    this.#link = queue
    const link: HubLink = {
      channel: 1,
      unsent: 0,
      heard: clock.uptime(),
      send: message => queue.push({ ...message }),
      reject: error => rejections.push(error),
    }
    this.group.connected(link)
    return link
  }

  disconnect(): void {
    if (this.#link === undefined) return
    this.#link = undefined
    this.hub.disconnected()
    this.group.disconnected()
  }

  /** Has all that is on its way arrive, and be done. */
  async work({ isDurable = true } = {}): Promise<void> {
    for (let quiet = 0; quiet < 8; quiet++) {
      // what is sent is gathered for a while
      if (quiet === 4) this.clock.pass(2)
      if (this.clock.isBusy || (this.#link?.length ?? 0) > 0) quiet = 0
      while (this.clock.isBusy) this.clock.step()
      for (const message of this.#link?.splice(0) ?? []) this.hub.receive(message)
      if (isDurable) this.hub.sync()
      for (const message of this.hub.outbox.splice(0)) this.group.receive(message)
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  /** Until the bits are cleared, too. */
  async rest(): Promise<void> {
    await this.work()
    this.clock.pass(3000)
    await this.work()
  }

  get states(): string[] {
    return this.group.status.volumes.map(({ state }) => state.state)
  }

  /** The bytes of fills that the hub got since `from` messages. */
  fillsSince(from: number): number {
    let bytes = 0
    for (const message of this.taken.slice(from)) {
      if (message.kind === 'fill') bytes += message.data.length
      if (message.kind === 'fillZero') bytes += message.length
    }
    return bytes
  }
}

import type { Branch } from '#xenlight/replication/hub/branch.js'
import type { HubGroup } from '#xenlight/replication/hub/group.js'
import type { Hub } from '#xenlight/replication/hub/hub.js'
import type { Random } from '../../support/random.js'
import { PlayedAgent } from './played-agent.js'

const KiB = 1024
export const volumes = [
  { number: 0, name: 'root', size: 256 * KiB },
  // it ends in the middle of a block, and of a granule
  { number: 3, name: 'data', size: 321 * KiB + 512 },
]

export type Images = Map<number, Uint8Array>

const emptyImages = (): Images => new Map(volumes.map(({ number, size }) => [number, new Uint8Array(size)]))
export const copyOf = (images: Images): Images => new Map([...images].map(([number, bytes]) => [number, bytes.slice()]))

/** A guest whose disks are replicated, and a copy of its disks at each moment that was acknowledged. */
export class PlayedGuest {
  readonly agent: PlayedAgent
  readonly images: Images
  readonly #random: Random
  channel = 0
  /** What the disks were, by position; all of them were durable at the hub. */
  readonly moments = new Map<number, Images>()
  /** And by the stream's sequence. */
  last = 0

  constructor(hub: Hub, random: Random, name = 'host-1', images = emptyImages()) {
    this.agent = new PlayedAgent(hub, name)
    this.images = images
    this.#random = random
  }

  /** Attaches, and makes the replica equal where it has to be. */
  async begin(hub: Hub, group = 'web', stream = 'stream-1', epoch = 0): Promise<void> {
    const { channel, received } = await this.agent.attached(group, { volumes, stream, epoch })
    this.channel = channel
    if (received !== undefined) return
    const { agent } = this
    agent.say(channel, { kind: 'unsettled', reason: 'new replica' })
    for (const [volume, data] of this.images)
      agent.say(channel, { kind: 'fill', volume, offset: 0, data: data.slice() })
    await agent.allDurable(channel, agent.say(channel, { kind: 'settled' }))
    this.note(hub, group)
  }

  /** Takes down what the disks are now: all of it is durable. */
  note(hub: Hub, group = 'web'): void {
    const { position } = groupOf(hub, group).journal.last
    this.moments.set(position, copyOf(this.images))
  }

  /** Writes something somewhere, or zeroes. @returns its sequence */
  write(): number {
    const { volume, offset, data } = someWrite(this.#random)
    const isZero = this.#random.chance(0.2)
    if (isZero) data.fill(0)
    this.images.get(volume)!.set(data, offset)
    const { agent, channel } = this
    this.last = isZero
      ? agent.say(channel, { kind: 'zero', volume, offset, length: data.length })
      : agent.say(channel, { kind: 'write', volume, offset, data: data.slice() })
    return this.last
  }

  /** Writes, waits until it is durable, and takes down what the disks are then; all of it `count` times. */
  async live(hub: Hub, count: number, group = 'web'): Promise<void> {
    for (let done = 0; done < count; done++) {
      await this.agent.allDurable(this.channel, this.write())
      this.note(hub, group)
    }
  }
}

/** A write of whole sectors, anywhere; or of whole blocks. */
export function someWrite(random: Random): { volume: number; offset: number; data: Uint8Array } {
  const { number: volume, size } = random.pick(volumes)
  const sectors = size / 512
  const unit = random.pick([1, 8])
  const first = random.int(Math.floor(sectors / unit)) * unit
  const most = random.pick([1, 8, 16, 200])
  const wanted = Math.ceil((1 + random.int(most)) / unit) * unit
  const count = Math.min(wanted, sectors - first)
  const data = new Uint8Array(count * 512).fill(1 + random.int(255))
  return { volume, offset: first * 512, data }
}

export function groupOf(hub: Hub, name = 'web'): HubGroup {
  const group = hub.groups.find(one => one.name === name)
  if (group === undefined) throw new Error(`no group ${name}`)
  return group
}

/** What a branch's disks have. */
export async function imagesOf(branch: Branch): Promise<Images> {
  const images: Images = new Map()
  for (const { number, size } of branch.volumes)
    images.set(number, new Uint8Array(await branch.read(number, { offset: 0, length: size })))
  return images
}

/** What the newest moment of a group is. */
export async function newestOf(hub: Hub, name = 'web'): Promise<Images> {
  const { journal } = groupOf(hub, name)
  const view = await journal.view(journal.last.settled!.position)
  const images: Images = new Map()
  for (const { number, size } of view.volumes) images.set(number, new Uint8Array(await view.read(number, 0, size)))
  view.close()
  return images
}

/** Where two sets of disks differ first; undefined where they do not. */
export function difference(is: Images, wanted: Images): string | undefined {
  for (const [number, bytes] of wanted) {
    const other = is.get(number)
    if (other?.length !== bytes.length) return `volume ${number} has ${other?.length} bytes`
    if (Buffer.compare(bytes, other) === 0) continue
    for (let at = 0; at < bytes.length; at++)
      if (bytes[at] !== other[at]) return `volume ${number} at ${at}: ${other[at]}, and not ${bytes[at]}`
  }
  return undefined
}

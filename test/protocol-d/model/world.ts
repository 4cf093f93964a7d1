import { metaFileSize } from '#xenlight/keep/bitmap-file.js'
import { logFileSize } from '#xenlight/protocol-d/keep/log-file.js'
import type { NodeOptions } from '#xenlight/protocol-d/machine/node-options.js'
import type { Channel, NodeHost } from '#xenlight/protocol-d/node-host.js'
import { ProtocolNode } from '#xenlight/protocol-d/protocol-node.js'
import type { Message } from '#xenlight/protocol-d/stream/message.js'
import { type Crash, PlayedFiles, writtenBy } from './played-files.js'

export const sector = 512
/** Small, so that everything happens: blocks of two sectors, few extents, a log that is soon full. */
export const geometry = {
  size: 24 * 1024 - 512,
  blockSize: 1024,
  extentBlocks: 4,
  activeExtents: 3,
  logSize: 24 * 1024,
}
export const sectors = geometry.size / sector

/** What each sector has: the number of the write that it is of. */
export type Content = readonly number[]

export function contentOf(disk: Uint8Array): Content {
  const view = new DataView(disk.buffer, disk.byteOffset, disk.byteLength)
  return Array.from({ length: disk.length / sector }, (_, index) => view.getUint32(index * sector))
}

export const sectorData = (tag: number, length: number): Uint8Array => {
  const data = new Uint8Array(length)
  const view = new DataView(data.buffer)
  for (let at = 0; at < length; at += 4) view.setUint32(at, tag)
  return data
}

/** One connection: what is on its way, and who has not heard of its end. */
interface Wire {
  queues: Record<Channel, Message[]>[]
  isOpen: [boolean, boolean]
}

export interface Watcher {
  sent(from: number, channel: Channel, message: Message): void
  /** The disk of a node is about to be written; what is returned is called when it was. */
  writes(index: number, offset: number, data: Uint8Array): (error: Error | undefined) => void
}

/** Two nodes, what connects them and what they write to; nothing happens by itself. */
export class World {
  readonly files: PlayedFiles[]
  readonly nodes: (ProtocolNode | undefined)[] = [undefined, undefined]
  /** Whether a node is being started. */
  readonly starting = [false, false]
  wire: Wire | undefined
  #generation = 0
  #lives = [0, 0]
  readonly watcher: Watcher
  readonly options: NodeOptions
  failure: string | undefined

  constructor(options: NodeOptions, isPrompt: boolean, watcher: Watcher) {
    this.options = options
    this.watcher = watcher
    const sizes = { data: geometry.size, meta: metaFileSize(geometry), log: logFileSize(geometry.logSize) }
    this.files = [new PlayedFiles(sizes, isPrompt), new PlayedFiles(sizes, isPrompt)]
    for (const index of [0, 1]) {
      let isDone = false
      ProtocolNode.create(this.#host(index), { geometry, pair: 'pair', logId: 1 }, error => {
        if (error !== undefined) throw error
        isDone = true
      })
      while (!isDone) this.files[index]!.step(this.files[index]!.busy[0]!)
    }
  }

  start(index: number): void {
    this.starting[index] = true
    const life = this.#lives[index]
    ProtocolNode.open(this.#host(index), this.options, (error, node) => {
      if (life !== this.#lives[index]) return
      this.starting[index] = false
      // a node whose files fail does not start; it may the next time
      if (error === undefined) this.nodes[index] = node
    })
  }

  crash(index: number, kind: Crash, chance: () => number): void {
    this.#lives[index]!++
    this.starting[index] = false
    this.nodes[index] = undefined
    this.files[index]!.crash(kind, chance)
    if (this.wire !== undefined) this.close(index)
  }

  connect(): void {
    const [first, second] = this.nodes
    this.wire = { queues: [newQueues(), newQueues()], isOpen: [true, true] }
    first!.connected(true)
    second!.connected(false)
  }

  /** One end is closed; the other hears of it later. */
  close(index: number): void {
    const { wire } = this
    if (wire === undefined) return
    wire.isOpen[index] = false
    if (!wire.isOpen[0] && !wire.isOpen[1]) this.wire = undefined
  }

  /** Who would hear now of the other end's being closed. */
  get unaware(): number[] {
    const { wire } = this
    return wire === undefined ? [] : [0, 1].filter(index => wire.isOpen[index] && !wire.isOpen[1 - index])
  }

  hearOfEnd(index: number): void {
    this.close(index)
    this.nodes[index]?.disconnected()
  }

  /** What can be delivered: to whom, on which channel. */
  get deliverable(): { to: number; channel: Channel }[] {
    const { wire } = this
    if (wire === undefined) return []
    return [0, 1].flatMap(to =>
      wire.isOpen[to] && this.nodes[to] !== undefined
        ? (['data', 'meta'] as const)
            .filter(channel => wire.queues[to]![channel].length > 0)
            .map(channel => ({ to, channel }))
        : [],
    )
  }

  /** What `deliver` would deliver. */
  next(to: number, channel: Channel): Message {
    return this.wire!.queues[to]![channel][0]!
  }

  deliver(to: number, channel: Channel): void {
    this.nodes[to]!.receive(channel, this.wire!.queues[to]![channel].shift()!)
  }

  /** Whether a file of the node has failed, or will. */
  isFailing(index: number): boolean {
    return this.nodes[index]?.status().failure !== undefined || this.files[index]!.isFailing
  }

  content(index: number): Content {
    return contentOf(this.files[index]!.view())
  }

  #host(index: number): NodeHost {
    const life = this.#lives[index]
    const isAlive = () => life === this.#lives[index]
    return {
      file: (request, done) => {
        if (!isAlive()) return
        const written = request.file === 'data' ? writtenBy(request) : undefined
        const note = written && this.watcher.writes(index, written.offset, written.data)
        this.files[index]!.ask(request, (error, data) => {
          if (!isAlive()) return
          note?.(error)
          done(error, data)
        })
      },
      send: (channel, message) => {
        const { wire } = this
        if (wire?.isOpen[index] !== true) return
        const own = 'data' in message ? { ...message, data: message.data.slice() } : message
        this.watcher.sent(index, channel, own)
        if (wire.isOpen[1 - index]) wire.queues[1 - index]![channel].push(own)
      },
      disconnect: () => this.close(index),
      pause: () => {},
      changed: () => {},
      newGeneration: () => `g${++this.#generation}`,
    }
  }
}

const newQueues = (): Record<Channel, Message[]> => ({ data: [], meta: [] })

import type { NodeOptions } from '#xenlight/protocol-d/machine/node-options.js'
import type { ProtocolNode } from '#xenlight/protocol-d/protocol-node.js'
import type { Message } from '#xenlight/protocol-d/stream/message.js'
import { sector, sectorData, World } from './world.js'

/** Two nodes that hold the same data, the first of them Primary. Nothing happens but by `work`. */
export class EqualPair {
  readonly world: World
  /** What went between them since. */
  readonly sent: Message[] = []

  constructor(options: Partial<NodeOptions> = {}) {
    const usual = {
      memory: 1 << 20,
      activeExtents: 3,
      afterSplitBrain: 'disconnect',
      asksAlone: false,
      acknowledgeFromMemory: false,
    } as const
    this.world = new World({ ...usual, ...options }, false, {
      sent: (_from, _channel, message) => this.sent.push(message),
      writes: () => () => {},
    })
    this.world.start(0)
    this.world.start(1)
    this.work()
    this.done(done => this.first.promote({ force: true }, done))
    this.connect()
    this.sent.length = 0
  }

  get first(): ProtocolNode {
    return this.world.nodes[0]!
  }

  get second(): ProtocolNode {
    return this.world.nodes[1]!
  }

  /** Does all that there is to do. */
  work(): void {
    const { world } = this
    for (;;) {
      const [message] = world.deliverable
      const busy = [0, 1].find(index => world.files[index]!.busy.length > 0)
      if (message !== undefined) world.deliver(message.to, message.channel)
      else if (busy !== undefined) world.files[busy]!.step(world.files[busy]!.busy[0]!)
      else if (world.unaware.length > 0) world.hearOfEnd(world.unaware[0]!)
      else return
    }
  }

  /** Does what there is to do until a node has taken such a message. */
  workUntil(to: number, kind: Message['kind']): void {
    const { world } = this
    for (;;) {
      const [message] = world.deliverable
      if (message === undefined) {
        const index = [0, 1].find(one => world.files[one]!.busy.length > 0)!
        world.files[index]!.step(world.files[index]!.busy[0]!)
        continue
      }
      const isIt = message.to === to && world.next(to, message.channel).kind === kind
      world.deliver(message.to, message.channel)
      if (isIt) return
    }
  }

  connect(): void {
    this.world.connect()
    this.work()
  }

  /** The link is cut, and both hear of it. */
  cut(): void {
    for (const index of [0, 1]) if (this.world.wire?.isOpen[index]) this.world.hearOfEnd(index)
    this.work()
  }

  /** Asks for something, does what there is to do, and gives what came of it. */
  outcome<Value>(ask: (done: (error?: Error, value?: Value) => void) => void): {
    error?: Error | undefined
    value?: Value
  } {
    let outcome: { error?: Error | undefined; value?: Value } | undefined
    ask((error, value) => {
      outcome = { error, ...(value !== undefined && { value }) }
    })
    this.work()
    if (outcome === undefined) throw new Error('nothing came of it')
    return outcome
  }

  /** As `outcome`, of what must not fail. */
  done<Value>(ask: (done: (error?: Error, value?: Value) => void) => void): Value | undefined {
    const { error, value } = this.outcome(ask)
    if (error !== undefined) throw error
    return value
  }

  /** Writes two sectors on the first node. @returns what its guest hears, once it does */
  write(tag: number): { error: Error | undefined } {
    const heard: { error: Error | undefined } = { error: undefined }
    this.first.write(4 * sector, sectorData(tag, 2 * sector), error => {
      heard.error = error
    })
    return heard
  }

  /** Those sectors, at both nodes. */
  get written(): number[][] {
    return [0, 1].map(index => this.world.content(index).slice(4, 6))
  }
}

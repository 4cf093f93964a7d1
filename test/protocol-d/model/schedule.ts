import type { NodeOptions } from '#xenlight/protocol-d/machine/node-options.js'
import type { NodeStatus } from '#xenlight/protocol-d/machine/node-status.js'
import type { Channel } from '#xenlight/protocol-d/node-host.js'
import type { Message } from '#xenlight/protocol-d/stream/message.js'
import { createRandom, type Random } from '../../support/random.js'
import type { Crash } from './played-files.js'
import { type Content, contentOf, geometry, sector, sectorData, sectors, World } from './world.js'

/** What one node sent to the other over one connection, and what the disk was at each point of it. */
interface Stream {
  /** The disk at the beginning, and after each write. */
  states: { sequence: number; content: Content }[]
  barriers: { checkpoint: number; sequence: number; mode: 'direct' | 'checkpoints'; content: Content }[]
  /** What the receiver has acknowledged. */
  ackedSequence: number
  ackedCheckpoint: number
}

/** The numbers that a sector may have after a crash: the last that was flushed, and what was written later. */
interface SectorHistory {
  /** How many earlier ones are forgotten. */
  forgotten: number
  tags: number[]
  /** The last one that was written, of all. */
  completed: number
}

/**
 * One random life of a pair: each number decides what happens next. Afterwards both nodes are brought together, and must become equal.
 * What must be so is checked as it goes.
 */
export class Schedule {
  readonly story: string[] = []
  readonly world: World
  #random: Random
  #tag = 0
  #number = 0
  readonly #numbersPromotions: boolean
  /** Whether the present connection began between equals. */
  #isEqual = false
  readonly #acked: number[] = []
  /** What a node received last, as long as it is what its disk holds. */
  readonly #lineage: (Stream | undefined)[] = [undefined, undefined]
  /** What a node sends on the present connection. */
  readonly #streams: (Stream | undefined)[] = [undefined, undefined]
  readonly #histories: SectorHistory[][] = [0, 1].map(() => newHistories(Array(sectors).fill(0)))
  readonly counts = { failovers: 0, crashes: 0, resyncs: 0, checkpoints: 0, writes: 0, exact: 0, fenced: 0 }

  constructor(first: number) {
    const random = createRandom(first)
    this.#random = random
    const options: NodeOptions = {
      memory: random.pick([0, 2048, 1 << 20]),
      activeExtents: geometry.activeExtents,
      afterSplitBrain: random.pick(['disconnect', 'discard-secondary'] as const),
      asksAlone: random.chance(0.3),
      acknowledgeFromMemory: random.chance(0.2),
    }
    this.#numbersPromotions = random.chance(0.5)
    this.world = new World(options, random.chance(0.5), {
      sent: (from, _channel, message) => this.#sent(from, message),
      writes: (index, offset, data) => this.#noteWrite(index, offset, data),
    })
  }

  /** Both nodes run, the first is Primary and what it has was copied. */
  begin(): void {
    this.world.start(0)
    this.world.start(1)
    this.#work()
    this.#promote(0, { force: true })
    this.#work()
    this.world.connect()
    this.#work()
    this.#mustBeEqual()
    if (!this.#random.chance(0.5)) return
    this.#say('node 0: checkpointing on')
    this.world.nodes[0]!.setCheckpointing(true, error => this.#say(`node 0: ${error?.message ?? 'switched'}`))
    this.#work()
  }

  #say(text: string): void {
    this.story.push(text)
  }

  // ------------------------------------------------------------ what was sent

  #sent(from: number, message: Message): void {
    const to = 1 - from
    if (message.kind === 'hello' || message.kind === 'begin') {
      this.#streams[from] = undefined
      if (message.kind === 'begin') this.#lineage.fill(undefined)
      return
    }
    if (message.kind === 'verdict') {
      this.#isEqual = message.verdict.kind === 'equal'
      return
    }
    if (message.kind === 'copied') {
      this.#streams[from] = newStream(this.world.content(from), message.sequence)
      this.counts.resyncs++
      return
    }
    if (message.kind === 'copiedAck') this.#lineage[from] = this.#streams[to]
    if (message.kind === 'write' || message.kind === 'zero') {
      this.#streams[from] ??= newStream(this.world.content(from), message.sequence - 1)
      const stream = this.#streams[from]
      const content = [...stream.states.at(-1)!.content]
      const written = contentOf('data' in message ? message.data : new Uint8Array(message.length))
      content.splice(message.offset / sector, written.length, ...written)
      stream.states.push({ sequence: message.sequence, content })
    }
    if (message.kind === 'barrier') {
      const { checkpoint, sequence, mode } = message
      this.counts.checkpoints++
      this.#streams[from] ??= newStream(this.world.content(from), sequence - 1)
      // what was sent counts, also where the own copy of it failed
      const { content } = this.#streams[from].states.at(-1)!
      this.#streams[from].barriers.push({ checkpoint, sequence, mode, content })
    }
    // it counts from when it is sent: that is the promise
    const stream = this.#lineage[from]
    if (message.kind === 'barrierAck' && stream) stream.ackedSequence = Math.max(stream.ackedSequence, message.sequence)
    if (message.kind === 'checkpointAck' && stream) {
      if (!stream.barriers.some(({ checkpoint }) => checkpoint === message.checkpoint))
        throw new Error(`node ${from} acknowledges checkpoint ${message.checkpoint}, which was not sent`)
      stream.ackedCheckpoint = message.checkpoint
      this.#acked.push(message.checkpoint)
    }
  }

  /** A connection has become one between equals, or the other node writes now. */
  #noteEqual(): void {
    const statuses = this.world.nodes.map(node => node?.status())
    if (!statuses.every(status => status?.connection === 'equal') || !this.world.wire?.isOpen.every(Boolean)) return
    const writer = statuses.findIndex(status => status!.isWriter)
    if (writer < 0) return
    // what this one writes begins with all that the other wrote
    if (this.#streams[writer] === undefined) this.#streams[writer] = newStream(this.world.content(writer), 0)
    this.#streams[1 - writer] = undefined
    this.#lineage[writer] = undefined
    this.#lineage[1 - writer] = this.#streams[writer]
  }

  #deliver(to: number, channel: Channel): void {
    const message = this.world.next(to, channel)
    this.#say(`node ${to} gets ${describe(message)}`)
    const isWrite = message.kind === 'write' || message.kind === 'zero' || message.kind === 'barrier'
    if (isWrite && this.#isEqual) this.#lineage[to] = this.#streams[1 - to]
    this.world.deliver(to, channel)
  }

  // ------------------------------------------------------------ what is done

  #write(index: number): void {
    const node = this.world.nodes[index]
    if (node === undefined) return
    const first = this.#random.int(sectors)
    const count = Math.min(sectors - first, 1 + this.#random.int(5))
    const isZero = this.#random.chance(0.1)
    const tag = isZero ? 0 : ++this.#tag
    const offset = first * sector
    this.counts.writes++
    this.#say(`node ${index}: ${isZero ? 'zeroes' : `write ${tag}`} to sectors ${first} to ${first + count - 1}`)
    const { fencedBy } = node.status()
    if (fencedBy !== undefined) this.counts.fenced++
    // what fails may have been written or not
    const done = (error?: Error) => {
      if (fencedBy !== undefined && error === undefined) throw new Error(`node ${index} is fenced, and took a write`)
    }
    if (isZero) node.zero(offset, count * sector, done)
    else node.write(offset, sectorData(tag, count * sector), done)
  }

  #noteWrite(index: number, offset: number, data: Uint8Array): (error: Error | undefined) => void {
    // what it wrote itself is in no stream
    if (this.world.nodes[index]?.status().isWriter) this.#lineage[index] = undefined
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    const histories = this.#histories[index]!.slice(offset / sector, (offset + data.length) / sector)
    const places = histories.map(({ forgotten, tags }, at) => forgotten + tags.push(view.getUint32(at * sector)) - 1)
    return error => {
      if (error === undefined) for (const [at, history] of histories.entries()) history.completed = places[at]!
    }
  }

  #flush(index: number): void {
    const histories = this.#histories[index]!
    const places = histories.map(({ completed }) => completed)
    this.#say(`node ${index}: flush`)
    this.world.nodes[index]?.flush(error => {
      this.#say(`node ${index}: ${error?.message ?? 'flushed'}`)
      if (error !== undefined) return
      for (const [at, history] of histories.entries()) {
        const count = Math.max(0, places[at]! - history.forgotten)
        history.tags.splice(0, count)
        history.forgotten += count
      }
    })
  }

  #crash(index: number, kind: Crash): void {
    this.#say(`node ${index}: crash (${kind})`)
    this.counts.crashes++
    this.world.crash(index, kind, () => this.#random.int(1 << 20) / (1 << 20))
    const content = this.world.content(index)
    for (const [at, { tags }] of this.#histories[index]!.entries())
      if (!tags.includes(content[at]!))
        throw new Error(`node ${index} lost what was flushed: sector ${at} has ${content[at]}, of ${tags.join(', ')}`)
    this.#histories[index] = newHistories(content)
  }

  #promote(index: number, given: { two?: boolean; force?: boolean } = {}): void {
    const node = this.world.nodes[index]
    if (node === undefined) return
    const options = this.#numbersPromotions ? { ...given, number: ++this.#number } : given
    const before = node.status()
    this.#say(`node ${index}: promote ${JSON.stringify(options)}`)
    node.promote(options, error => {
      this.#say(`node ${index}: ${error === undefined ? 'is Primary' : `not promoted: ${error.message}`}`)
      if (error !== undefined) return
      const isAlone = ['none', 'refused'].includes(before.connection)
      if (isAlone && !before.isWriter) this.#checkTakeOver(index)
      this.#lineage[index] = undefined
    })
  }

  /** A node that took over has what the other one had at the last checkpoint, or at a point that is no earlier than what it acknowledged. */
  #checkTakeOver(index: number): void {
    const stream = this.#lineage[index]
    if (stream === undefined) return
    this.counts.failovers++
    const content = this.world.content(index).join()
    const allowed = allowedStates(stream)
    if (allowed.length === 1) this.counts.exact++
    if (!allowed.some(state => state.content.join() === content))
      throw new Error(
        `node ${index} took over, and has ${content}\nallowed (checkpoint ${stream.ackedCheckpoint}, write ${stream.ackedSequence} acknowledged):\n${allowed.map(state => `${state.name}: ${state.content.join()}`).join('\n')}`,
      )
  }

  #checkpoint(index: number): void {
    const node = this.world.nodes[index]
    node?.checkpoint((error, result) => {
      this.#say(`node ${index}: checkpoint: ${error?.message ?? JSON.stringify(result)}`)
      if (error !== undefined) return
      node.waitForAck(lost => {
        this.#say(
          `node ${index}: ${lost === undefined ? `checkpoint ${result!.checkpoint} is acknowledged` : lost.message}`,
        )
        if (lost === undefined && result!.isAwaited && !this.#acked.includes(result!.checkpoint))
          throw new Error(`WAIT returned success for checkpoint ${result!.checkpoint}, which nobody acknowledged`)
      })
    })
  }

  /** One step. */
  step(number: number): void {
    this.#random = createRandom(number)
    const random = this.#random
    const { world } = this
    const choices: [weight: number, act: () => void][] = []
    for (const { to, channel } of world.deliverable)
      choices.push([
        6,
        () => {
          this.#deliver(to, channel)
        },
      ])
    for (const index of [0, 1])
      for (const file of world.files[index]!.busy)
        choices.push([
          8,
          () => {
            this.#say(`node ${index}: ${file} goes on`)
            world.files[index]!.step(file)
          },
        ])
    for (const index of world.unaware)
      choices.push([
        2,
        () => {
          this.#say(`node ${index} hears that the connection is lost`)
          world.hearOfEnd(index)
        },
      ])
    for (const index of [0, 1]) {
      const node = world.nodes[index]
      if (node === undefined) {
        if (!world.starting[index])
          choices.push([
            1,
            () => {
              this.#say(`node ${index}: start`)
              world.start(index)
            },
          ])
        else choices.push([0.1, () => this.#crash(index, random.pick(['process', 'power']))])
        continue
      }
      const status = node.status()
      choices.push([
        0.15,
        () => {
          const file = random.pick(['data', 'meta', 'log'] as const)
          this.#say(`node ${index}: ${file} will fail`)
          world.files[index]!.failNext(file)
        },
      ])
      choices.push([0.25, () => this.#crash(index, random.pick(['process', 'power']))])
      if (status.role === 'primary') {
        choices.push([4, () => this.#write(index)], [1, () => this.#flush(index)], [0.15, () => this.#demote(index)])
        choices.push([status.mode === 'checkpoints' ? 3 : 0.1, () => this.#checkpoint(index)])
        if (status.asksAlone)
          choices.push([
            1,
            () => {
              this.#say(`node ${index}: goes on alone`)
              node.goOnAlone(error => error && this.#say(`node ${index}: ${error.message}`))
            },
          ])
        const isOn = status.mode !== 'checkpoints'
        choices.push([
          isOn ? 1 : 0.2,
          () => {
            this.#say(`node ${index}: checkpointing ${isOn ? 'on' : 'off'}`)
            node.setCheckpointing(isOn, error => this.#say(`node ${index}: ${error?.message ?? 'switched'}`))
          },
        ])
      }
      const wants = status.connection === 'none' && status.role === 'secondary' ? 1 : 0.1
      choices.push([wants, () => this.#promote(index, { two: random.chance(0.4) })])
      choices.push([
        0.03,
        () => {
          this.#say(`node ${index}: discards its own changes at the next meeting`)
          node.discardOwnChanges(true, error => error && this.#say(`node ${index}: ${error.message}`))
        },
      ])
    }
    if (world.wire === undefined && world.nodes[0] && world.nodes[1])
      choices.push([
        2,
        () => {
          this.#say('they connect')
          world.connect()
        },
      ])
    if (world.wire !== undefined)
      choices.push([
        0.3,
        () => {
          this.#say('the link is cut')
          for (const index of [0, 1])
            if (world.wire?.isOpen[index]) {
              if (random.chance(0.5)) world.hearOfEnd(index)
              else if (world.nodes[index] === undefined) world.close(index)
            }
          // what is on its way is lost
          if (world.wire !== undefined)
            for (const queue of world.wire.queues) {
              queue.data.length = 0
              queue.meta.length = 0
            }
          if (world.wire?.isOpen.every(Boolean)) world.hearOfEnd(random.int(2))
        },
      ])
    pick(choices, random)
    this.#noteEqual()
  }

  #demote(index: number): void {
    this.#say(`node ${index}: demote`)
    this.world.nodes[index]?.demote(error => this.#say(`node ${index}: ${error?.message ?? 'is Secondary'}`))
  }

  /** Does what there is to do, until nothing is left. */
  #work(): void {
    const { world } = this
    for (let steps = 0; ; steps++) {
      if (steps > 20_000) throw new Error('they never come to rest')
      const [message] = world.deliverable
      const index = [0, 1].find(one => world.files[one]!.busy.length > 0)
      if (message !== undefined) {
        this.#deliver(message.to, message.channel)
      } else if (index !== undefined) world.files[index]!.step(world.files[index]!.busy[0]!)
      else if (world.unaware.length > 0) world.hearOfEnd(world.unaware[0]!)
      else return
      this.#noteEqual()
    }
  }

  /** Whatever happened, the two can be brought together, and are equal then. */
  finish(): void {
    const { world } = this
    this.#say('--- the end: both are brought together')
    this.#work()
    // a node whose file has failed is started again, on a disk that is mended
    for (const index of [0, 1])
      if (world.nodes[index] === undefined || world.isFailing(index)) this.#crash(index, 'process')
    this.#work()
    for (const index of [0, 1]) if (world.nodes[index] === undefined) world.start(index)
    this.#work()
    for (let tries = 0; tries < 8; tries++) {
      if (world.wire === undefined) world.connect()
      this.#work()
      const [first, second] = world.nodes.map(node => node!.status())
      const isOwnFailure = first!.differing > 0 || second!.differing > 0
      if (first!.connection === 'equal' && second!.connection === 'equal') {
        if (!isOwnFailure) break
        // a write that failed on one node only is known, and made good at the next meeting
        for (const index of [0, 1]) world.hearOfEnd(index)
        continue
      }
      this.#say(`they are ${first!.connection} and ${second!.connection}: ${first!.why} ${second!.why}`)
      this.#decide([first!, second!])
      this.#work()
    }
    this.#mustBeEqual()
  }

  /** What an administrator would do. */
  #decide(statuses: readonly NodeStatus[]): void {
    const fenced = statuses.findIndex(({ fencedBy }) => fencedBy !== undefined)
    if (fenced >= 0) {
      this.#demote(fenced)
      return
    }
    const isGood = ({ disk }: NodeStatus) => disk === 'consistent'
    const found = [
      statuses.findIndex(one => isGood(one) && one.role === 'primary' && one.isWriter),
      statuses.findIndex(isGood),
    ].find(index => index >= 0)
    const kept = found ?? 0
    if (statuses[kept]!.connection === 'undecided') {
      this.#promote(kept)
      return
    }
    if (statuses[1 - kept]!.role === 'primary') {
      this.#demote(1 - kept)
      return
    }
    if (found === undefined) {
      this.#promote(kept, { force: true })
      return
    }
    this.world.nodes[kept]!.discardOwnChanges(false, () => {})
    this.world.nodes[1 - kept]!.discardOwnChanges(true, () => {})
  }

  #mustBeEqual(): void {
    for (const node of this.world.nodes)
      if (node?.status().mode === 'checkpoints')
        node.setCheckpointing(false, error => this.#say(error?.message ?? 'off'))
    this.#work()
    const statuses = this.world.nodes.map(node => node?.status())
    if (statuses.some(status => status?.connection !== 'equal'))
      throw new Error(`they cannot be brought together: ${JSON.stringify(statuses)}`)
    const [first, second] = [this.world.content(0).join(), this.world.content(1).join()]
    if (first !== second) throw new Error(`they differ:\n${first}\n${second}`)
  }
}

const newHistories = (content: Content): SectorHistory[] =>
  content.map(tag => ({ forgotten: 0, tags: [tag], completed: 0 }))

const newStream = (content: Content, sequence: number): Stream => ({
  states: [{ sequence, content }],
  barriers: [],
  ackedSequence: sequence,
  ackedCheckpoint: 0,
})

function allowedStates(stream: Stream): { name: string; content: Content }[] {
  const { states, barriers, ackedCheckpoint, ackedSequence } = stream
  const last = barriers.findIndex(({ checkpoint }) => checkpoint === ackedCheckpoint)
  const allowed: { name: string; content: Content }[] = []
  const following = barriers.slice(last + 1)
  let mode = last < 0 ? 'direct' : barriers[last]!.mode
  let from = last < 0 ? 0 : barriers[last]!.sequence
  if (last >= 0) allowed.push({ name: `checkpoint ${ackedCheckpoint}`, content: barriers[last]!.content })
  const between = (until: number) => {
    if (mode !== 'direct') return
    for (const { sequence, content } of states)
      if (sequence >= Math.max(from, ackedSequence) && sequence <= until)
        allowed.push({ name: `write ${sequence}`, content })
    // the last state before what was acknowledged, where that was no write
    const before = states.filter(({ sequence }) => sequence <= Math.max(from, ackedSequence)).at(-1)
    if (before !== undefined) allowed.push({ name: `write ${before.sequence}`, content: before.content })
  }
  for (const barrier of following) {
    between(barrier.sequence)
    allowed.push({ name: `checkpoint ${barrier.checkpoint}`, content: barrier.content })
    mode = barrier.mode
    from = barrier.sequence
  }
  between(Number.POSITIVE_INFINITY)
  return allowed
}

function pick(choices: readonly [number, () => void][], random: Random): void {
  const total = choices.reduce((sum, [weight]) => sum + weight, 0)
  let at = (random.int(1 << 24) / (1 << 24)) * total
  for (const [weight, act] of choices) {
    at -= weight
    if (at < 0) {
      act()
      return
    }
  }
}

function describe(message: Message): string {
  const { kind, ...rest } = message
  const words = Object.entries(rest).map(
    ([name, value]) => `${name} ${value instanceof Uint8Array ? `${value.length} bytes` : JSON.stringify(value)}`,
  )
  return `${kind} (${words.join(', ')})`
}

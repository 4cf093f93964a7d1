import { BlockSet } from '../../keep/block-set.js'
import { CopySource } from '../stream/copy-source.js'
import { CopyTarget } from '../stream/copy-target.js'
import type { DataMessage } from '../stream/message.js'
import type { Core } from './core.js'
import type { GuestWrites } from './guest-writes.js'
import type { Link } from './link.js'

/** How many runs of blocks one message has at most. */
const runsAtMost = 4096

/** One node is made equal to the other: always one way, and all blocks that either of them has written. */
export class Resync {
  readonly #core: Core
  readonly #writes: GuestWrites
  #isForgetting = false

  constructor(core: Core, writes: GuestWrites) {
    this.#core = core
    this.#writes = writes
  }

  becomeSource(link: Link, isFull: boolean): void {
    const core = this.#core
    const { differing } = core.metadata
    link.phase = 'source-starting'
    if (isFull) differing.addRun({ first: 0, count: differing.blocks })
    core.drain(failure => {
      if (failure !== undefined || link !== core.link) return
      // what it wrote in an unfinished checkpoint counts now, and what it received is durable
      core.settle({ mode: 'direct', isVolatile: false }, error => {
        if (error === undefined && link === core.link) this.#startAsSource(link, isFull)
      })
    })
  }

  #startAsSource(link: Link, isFull: boolean): void {
    const core = this.#core
    link.phase = 'source'
    if (core.record.role === 'primary' && link.peer.role === 'secondary') core.isWriter = true
    link.source = new CopySource(core.host, core.geometry, link.sender, this.#toCopy(isFull), {
      failed: failure => core.fail(failure),
      done: () => link.sender.copied(core.record.generations.current, core.record.checkpoint),
    })
    for (const [first, end] of this.#writes.writing) link.source.writeBegins(first, end)
    core.host.send('data', { kind: 'begin', generation: core.record.generations.current })
    core.retry()
  }

  /** What a peer that was a node of this pair has better than this node is not copied to it. */
  #toCopy(isFull: boolean): BlockSet {
    const { metadata, unreadable } = this.#core
    const toCopy = new BlockSet(metadata.differing.blocks)
    toCopy.addAll(metadata.differing)
    if (!isFull) for (const block of unreadable) toCopy.delete(block)
    return toCopy
  }

  /** What the target wrote, and this node did not. */
  takeDiffering(link: Link, { runs, isLast }: Extract<DataMessage, { kind: 'differing' }>): void {
    const { source } = link
    if (source === undefined || source.isStarted) {
      this.#core.protocolError('it says what differs, and is not asked')
      return
    }
    for (const run of runs) {
      if (!source.add(run)) {
        this.#core.protocolError('it has blocks that are not there, or says them twice')
        return
      }
      this.#core.metadata.differing.addRun(run)
    }
    if (isLast) source.start()
  }

  /** The target has all. */
  takeCopiedAck(link: Link): void {
    const core = this.#core
    if (link.phase !== 'source' || !link.source?.isDone) {
      core.protocolError('it has more than was sent')
      return
    }
    link.source = undefined
    link.sender.copyIsThrough()
    core.isOwnGeneration = false
    core.startEqual(link)
    core.retry()
    core.settle({ generations: core.sharedGenerations() }, () => {})
    core.host.changed()
  }

  beginAsTarget(link: Link, generation: string): void {
    const core = this.#core
    if (link.phase !== 'target-starting') {
      core.protocolError('it copies what nobody asked for')
      return
    }
    const resume = link.hold()
    core.drain(error => {
      if (error !== undefined || link !== core.link) return
      // what was written here is of no use from now on
      const generations = core.copiedGenerations(generation)
      core.settle({ disk: 'inconsistent', generations, mode: 'direct', isVolatile: false }, failure => {
        if (failure !== undefined || link !== core.link) return
        const { differing } = core.metadata
        link.phase = 'target'
        link.target = new CopyTarget(core.host, core.geometry, differing, problem => core.fail(problem))
        const runs = [...differing.runs()]
        for (let at = 0; at < runs.length || at === 0; at += runsAtMost) {
          const isLast = at + runsAtMost >= runs.length
          core.host.send('data', { kind: 'differing', runs: runs.slice(at, at + runsAtMost), isLast })
        }
        core.host.changed()
        resume()
      })
    })
  }

  endAsTarget(link: Link, { generation, checkpoint }: Extract<DataMessage, { kind: 'copied' }>): void {
    const core = this.#core
    const { target } = link
    if (target === undefined) {
      core.protocolError('it ends what it did not begin')
      return
    }
    const resume = link.hold()
    target.finish(() => {
      if (link !== core.link) return
      core.metadata.differing.clear()
      core.unreadable.clear()
      const generations = { ...core.record.generations, current: generation }
      core.settle({ disk: 'consistent', generations, checkpoint }, error => {
        if (error !== undefined || link !== core.link) return
        link.target = undefined
        core.startEqual(link)
        core.host.send('meta', { kind: 'copiedAck' })
        core.host.changed()
        resume()
      })
    })
  }

  takeBarrierAck(link: Link, sequence: number): void {
    if (!link.sender.acknowledge(sequence)) {
      this.#core.protocolError('it acknowledges what was not sent')
      return
    }
    link.source?.wake()
    this.#forgetStale()
  }

  /** Bits that stand for no difference any more leave the file of a node that does not write. */
  #forgetStale(): void {
    const { metadata, record } = this.#core
    if (metadata.differing.size > 0 || !metadata.isStale || record.role === 'primary' || this.#isForgetting) return
    this.#isForgetting = true
    this.#core.settle({}, () => {
      this.#isForgetting = false
    })
  }
}

import { blockRange } from '../../keep/geometry.js'
import { type Core, type Done, fenced, notPrimary, type Result, refused } from './core.js'
import { Repairs } from './repairs.js'

interface GuestWrite {
  offset: number
  length: number
  /** Undefined for zeroes. */
  data: Uint8Array | undefined
  done: Done
}

/** What the guest reads and writes. A write waits for what has to be so before it; then it goes to the peer and to the disk. */
export class GuestWrites {
  readonly #core: Core
  #held: GuestWrite[] = []
  readonly #writing = new Set<GuestWrite>()
  readonly #repairs: Repairs
  #whenThrough: (() => void)[] = []
  /** Something was written since this was last set to false. */
  hasWritten = false

  constructor(core: Core) {
    this.#core = core
    this.#repairs = new Repairs(core)
    core.onRelease(() => {
      for (const write of this.#held.splice(0)) this.write(write)
    })
  }

  /** The blocks that are being written. */
  get writing(): readonly (readonly [first: number, end: number])[] {
    return [...this.#writing].map(({ offset, length }) => blockRange(this.#core.geometry, offset, length))
  }

  read(offset: number, length: number, done: Result<Uint8Array>): void {
    const { log, host } = this.#core
    const refusal = this.#refuseAll()
    if (refusal !== undefined) {
      done(refusal)
      return
    }
    log.whenApplied(error => {
      if (error !== undefined) done(error)
      else host.file({ kind: 'read', file: 'data', offset, length }, done)
    })
  }

  /** Makes durable here what was written; of two Primaries without checkpoints, visible to the other as well. */
  flush(done: Done): void {
    // what one node alone has may be undone until then
    this.#core.unlessAsking(() => this.#flush(done))
  }

  #flush(done: Done): void {
    const core = this.#core
    const { link } = core
    const refusal = core.failure ?? (core.fencedBy === undefined ? undefined : fenced(core.fencedBy))
    if (refusal !== undefined) {
      done(refusal)
      return
    }
    core.host.file({ kind: 'sync', file: 'data' }, error => {
      if (error !== undefined) return done(error)
      const isShared = link === core.link && link?.phase === 'equal' && link.peer.role === 'primary'
      if (isShared && core.record.mode === 'direct') link.sender.whenAcknowledged(() => done())
      else done()
    })
  }

  write(write: GuestWrite): void {
    const refusal = this.#refuse()
    if (refusal !== undefined) write.done(refusal)
    else if (this.#mustWait()) this.#held.push(write)
    else this.#activate(write)
  }

  /** Calls back when no write is under way; those that are held do not count. */
  whenThrough(then: () => void): void {
    if (this.#writing.size === 0) then()
    else this.#whenThrough.push(then)
  }

  /** Fails the writes that wait. */
  refuseHeld(error: Error): void {
    for (const { done } of this.#held.splice(0)) done(error)
  }

  /** What is refused to a guest of this node in any case. */
  #refuseAll(): Error | undefined {
    const { failure, record, fencedBy } = this.#core
    if (failure !== undefined) return failure
    if (record.role !== 'primary') return notPrimary()
    return fencedBy === undefined ? undefined : fenced(fencedBy)
  }

  #refuse(): Error | undefined {
    const refusal = this.#refuseAll()
    if (refusal !== undefined) return refusal
    const { isWriter, link } = this.#core
    if (isWriter || (link?.phase === 'equal' && link.peer.role === 'primary')) return undefined
    const hint = 'promote this node to take over from it'
    return refused('not-writer', `the other Primary writes, and is not connected: ${hint}`)
  }

  /** Whether a write waits; where it waits for what nobody has asked for yet, that is asked for. */
  #mustWait(): boolean {
    const core = this.#core
    const { link } = core
    if (core.isBusy) return true
    if (!core.isWriter) {
      if (!link!.hasAskedToWrite) {
        link!.hasAskedToWrite = true
        core.host.send('data', { kind: 'writerRequest' })
      }
      return true
    }
    // who copies to whom is decided by what this node has said that it has
    if (link?.phase === 'source-starting' || (link?.phase === 'hello' && !link.listens)) return true
    if (core.asksAlone) return true
    if (core.isReplicating || core.isOwnGeneration || core.record.mode === 'checkpoints') return false
    this.#beginGeneration()
    return true
  }

  /** From now on the data here is not what the peer has. */
  #beginGeneration(): void {
    const core = this.#core
    core.occupy()
    core.save({ generations: core.nextGeneration() }, error => {
      if (error !== undefined) return
      core.isOwnGeneration = true
      core.release()
    })
  }

  #activate(write: GuestWrite): void {
    const core = this.#core
    const [first, end] = blockRange(core.geometry, write.offset, write.length)
    core.metadata.activate(first, end, error => {
      if (error !== undefined) return core.fail(error, write.done)
      // while it waited, things may have changed
      const refusal = this.#refuse()
      if (refusal === undefined && !this.#mustWait()) return this.#start(write, [first, end])
      core.metadata.deactivate(first, end)
      if (refusal !== undefined) write.done(refusal)
      else this.#held.push(write)
    })
  }

  #start(write: GuestWrite, [first, end]: readonly [first: number, end: number]): void {
    const { host, metadata, link } = this.#core
    const { offset, length, data, done } = write
    const sender = this.#core.isReplicating ? link!.sender : undefined
    metadata.differing.addRun({ first, count: end - first })
    this.hasWritten = true
    if (data === undefined) sender?.zero(offset, length)
    else sender?.write(offset, data)
    this.#repairs.writeBegins(write)
    this.#writing.add(write)
    link?.source?.writeBegins(first, end)
    const through: Done = error => {
      this.#writing.delete(write)
      metadata.deactivate(first, end)
      this.#core.link?.source?.writeEnds(first, end)
      done(error)
      if (this.#writing.size === 0) for (const then of this.#whenThrough.splice(0)) then()
    }
    const written: Done = error => {
      if (error === undefined) this.#core.written(offset, length)
      if (error === undefined || sender === undefined) through(error)
      else {
        this.#repairs.repair(write, this.#writing, link!, () => {
          this.hasWritten = true
          through(error)
        })
      }
    }
    if (data === undefined) host.file({ kind: 'zero', file: 'data', offset, length }, written)
    else host.file({ kind: 'write', file: 'data', offset, data }, written)
  }
}

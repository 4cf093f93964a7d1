import type { StreamMode } from '../keep/meta-record.js'
import { type Core, type Done, notPrimary, peerLost, type Result, refused } from './core.js'
import type { GuestWrites } from './guest-writes.js'

/** What became of an epoch's end. */
export interface CheckpointSent {
  /** Its acknowledgement is still to come; false where nothing was written since the last one. */
  isAwaited: boolean
  /** Its number, or that of the last one. */
  checkpoint: number
}

/** The checkpoints that a Primary takes, and whether it takes any. */
export class Checkpoints {
  readonly #core: Core
  readonly #writes: GuestWrites
  /** The one that was sent last. */
  #last: { number: number; state: 'sent' | 'acknowledged' | 'lost' } | undefined
  #waiting: Done[] = []
  #isSwitching = false

  constructor(core: Core, writes: GuestWrites) {
    this.#core = core
    this.#writes = writes
    core.onEnd(() => {
      if (this.#last?.state === 'sent') this.#last.state = 'lost'
      for (const done of this.#waiting.splice(0)) done(peerLost())
    })
  }

  /** Whether an acknowledgement, or a switch, is under way. */
  get isBusy(): boolean {
    return this.#isSwitching || this.#last?.state === 'sent'
  }

  /** Ends an epoch: what was written until now is a checkpoint once the peer acknowledges it. */
  send(done: Result<CheckpointSent>): void {
    const refusal = this.#refuse()
    if (refusal !== undefined) {
      done(refusal)
      return
    }
    if (this.#writes.hasWritten) {
      if (this.#last?.state === 'sent') {
        done(refused('busy', 'the last checkpoint is not acknowledged yet: wait for it'))
        return
      }
      this.#sendBarrier('checkpoints')
    }
    const checkpoint = this.#last?.number ?? this.#core.record.checkpoint
    done(undefined, { isAwaited: this.#last?.state === 'sent', checkpoint })
  }

  /** Calls back when the last one is acknowledged; at once, where none is awaited. Fails where that cannot come any more. */
  wait(done: Done): void {
    if (this.#last?.state === 'sent') this.#waiting.push(done)
    else if (this.#last?.state === 'lost') done(peerLost())
    else done(this.#core.failure)
  }

  /** Switches them on or off, on a pair that holds the same data; off also on a node that is alone. */
  switch(isOn: boolean, done: Done): void {
    const { failure, record, isWriter, link } = this.#core
    if (failure !== undefined) {
      done(failure)
      return
    }
    if (record.role !== 'primary') {
      done(notPrimary())
      return
    }
    if (!isWriter) {
      done(refused('not-writer', 'the other Primary writes: switch it there'))
      return
    }
    if (this.isBusy || this.#core.isBusy || link?.phase === 'hello') {
      done(refused('busy', 'another change is under way, or a checkpoint is not acknowledged yet'))
      return
    }
    const isConnected = link?.phase === 'equal'
    if (isOn && !isConnected) {
      done(noPeer())
      return
    }
    if ((record.mode === 'checkpoints') === isOn) {
      done()
      return
    }
    if (!isOn && this.#core.asksAlone) {
      this.#core.unlessAsking(() => this.switch(isOn, done))
      return
    }
    this.#isSwitching = true
    const through: Done = error => {
      this.#isSwitching = false
      done(error)
    }
    if (isOn) this.#switchOn(through)
    else if (isConnected) this.switchOff(through)
    else this.#goOnAlone(through)
  }

  /** The last one: what follows goes to the peer as it is written. Known to a crash last: until the peer has all, it is unfinished. */
  switchOff(done: Done): void {
    this.#sendBarrier('direct')
    this.wait(lost => {
      if (lost !== undefined) done(lost)
      else this.#core.save({ mode: 'direct' }, done)
    })
  }

  acknowledged(checkpoint: number): void {
    if (this.#last?.state !== 'sent' || this.#last.number !== checkpoint) {
      this.#core.protocolError(`it acknowledges checkpoint ${checkpoint}, which is not awaited`)
      return
    }
    this.#last.state = 'acknowledged'
    this.#core.metadata.note({ checkpoint })
    for (const done of this.#waiting.splice(0)) done()
    this.#core.host.changed()
  }

  /** What was sent before this node became Primary is nobody's any more. */
  forget(): void {
    this.#last = undefined
  }

  #refuse(): Error | undefined {
    const { failure, record, isWriter, link } = this.#core
    if (failure !== undefined) return failure
    if (record.role !== 'primary') return notPrimary()
    if (!isWriter) return refused('not-writer', 'the other Primary writes, and takes the checkpoints')
    if (this.#isSwitching || this.#core.isBusy) return refused('busy', 'another change is under way')
    if (record.mode !== 'checkpoints') return refused('no-checkpoints', 'checkpointing is off: switch it on first')
    return link?.phase === 'equal' ? undefined : noPeer()
  }

  /** Known to a crash first: what is written from the barrier on is of an unfinished checkpoint. */
  #switchOn(done: Done): void {
    const core = this.#core
    const { link } = core
    const giveUp = () => core.save({ mode: 'direct' }, error => done(error ?? peerLost()))
    core.save({ mode: 'checkpoints' }, error => {
      if (error !== undefined) return done(error)
      if (core.link !== link || link?.phase !== 'equal') return giveUp()
      this.#sendBarrier('checkpoints')
      this.wait(lost => (lost === undefined ? done() : giveUp()))
    })
  }

  /** What was written since the last checkpoint counts from now on, whatever the peer does without it. */
  #goOnAlone(done: Done): void {
    const core = this.#core
    const generations = core.isOwnGeneration ? core.record.generations : core.nextGeneration()
    core.isOwnGeneration = true
    core.save({ mode: 'direct', generations }, done)
  }

  #sendBarrier(mode: StreamMode): void {
    const link = this.#core.link!
    const number = Math.max(this.#core.record.checkpoint, this.#last?.number ?? 0, link.peer.checkpoint) + 1
    this.#writes.hasWritten = false
    this.#last = { number, state: 'sent' }
    link.sender.barrier(number, mode)
  }
}

const noPeer = () => refused('no-peer', 'no peer with the same data is connected')

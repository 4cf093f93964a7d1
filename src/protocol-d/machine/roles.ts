import type { MetaRecord } from '../keep/meta-record.js'
import type { DataMessage } from '../stream/message.js'
import type { Checkpoints } from './checkpoints.js'
import { type Core, type Done, fenced, peerLost, refused } from './core.js'
import type { GuestWrites } from './guest-writes.js'
import type { Link } from './link.js'
import type { Resync } from './resync.js'

export interface PromoteOptions {
  /** Beside a peer that is Primary as well: for a live migration. One of the two writes at a time. */
  two?: boolean | undefined
  /** Also with data that is new, half a copy, or older than the peer's. */
  force?: boolean | undefined
  /** Greater than all before: a Primary of an earlier one that meets this node or its peer is none any more. Without it nobody is kept out. */
  number?: number | undefined
}

/** Who is Primary, and of two Primaries who writes. */
export class Roles {
  readonly #core: Core
  readonly #writes: GuestWrites
  readonly #checkpoints: Checkpoints
  readonly #resync: Resync

  constructor(core: Core, writes: GuestWrites, checkpoints: Checkpoints, resync: Resync) {
    this.#core = core
    this.#writes = writes
    this.#checkpoints = checkpoints
    this.#resync = resync
  }

  /** Makes the node Primary. Alone it takes over: an epoch that its peer did not finish is discarded already. */
  promote({ two = false, force = false, number }: PromoteOptions, done: Done): void {
    const core = this.#core
    const { disk, role, generations } = core.record
    const phase = core.link?.phase
    const isAlone = phase === undefined || phase === 'refused'
    if (core.failure !== undefined) {
      done(core.failure)
      return
    }
    if (core.isBusy) {
      done(refused('busy', 'another change is under way'))
      return
    }
    if (phase === 'hello') {
      done(refused('busy', 'it is being decided who has which data'))
      return
    }
    if (core.fencedBy !== undefined) {
      done(fenced(core.fencedBy))
      return
    }
    const isPrimary = role === 'primary' && (core.isWriter || !isAlone)
    const { promotion } = core.record
    if (isPrimary && (number === undefined || number === promotion)) {
      done()
      return
    }
    if (number !== undefined && number <= promotion) {
      done(numberOver(number, promotion))
      return
    }
    if (isPrimary) {
      done(refused('is-primary', `it is Primary by the promotion ${promotion}: demote it first`))
      return
    }
    if (phase === 'target' || phase === 'target-starting') {
      done(refused('not-promotable', 'its data is being brought up to date: wait for the end of the resync'))
      return
    }
    if (disk !== 'consistent' && !force) {
      done(notPromotable(disk, generations.current))
      return
    }
    core.occupy()
    const through: Done = error => {
      core.release()
      done(error)
    }
    const own = number ?? promotion
    if (isAlone) this.#promoteAlone(own, through)
    else this.#askForRole(two, own, error => (error ? through(error) : this.#promoteBesidePeer(own, through)))
  }

  /** Makes the node Secondary. What was written until then is the peer's too, if it is connected. */
  demote(done: Done): void {
    const core = this.#core
    if (core.failure !== undefined) {
      done(core.failure)
      return
    }
    if (core.record.role !== 'primary') {
      done()
      return
    }
    if (core.isBusy || this.#checkpoints.isBusy || core.link?.phase === 'hello') {
      done(refused('busy', 'another change is under way'))
      return
    }
    core.occupy()
    const through: Done = error => {
      core.release()
      done(error)
    }
    const finish: Done = error => {
      if (error !== undefined) return through(error)
      const lacksWrites = core.link !== undefined && core.unreadable.size > 0
      const disk = lacksWrites ? 'outdated' : core.record.disk
      const promotion = core.fencedBy ?? core.record.promotion
      core.settle({ role: 'secondary', disk, promotion }, failure => {
        if (failure !== undefined) return through(failure)
        core.isWriter = false
        core.mayGoOnAlone = false
        core.fencedBy = undefined
        if (core.link !== undefined && core.link.phase !== 'hello')
          core.host.send('data', { kind: 'role', role: 'secondary' })
        // the peer has them, and brings this node up to date when they meet again
        if (lacksWrites && core.link !== undefined) core.end('writes failed here that the peer has')
        through()
      })
    }
    this.#writes.whenThrough(() => {
      const { link } = core
      const isLast = core.isWriter && core.record.mode === 'checkpoints' && link?.phase === 'equal'
      if (isLast) this.#checkpoints.switchOff(finish)
      else if (link?.isReplicating)
        link.sender.whenAcknowledged(() => finish(link === core.link ? undefined : peerLost()))
      else finish()
    })
  }

  /** Takes over the writing. What the other wrote is here then, and no crash writes it again. */
  becomeWriter(then: () => void): void {
    const core = this.#core
    core.drain(error => {
      if (error !== undefined) return
      core.isWriter = core.record.role === 'primary'
      if (core.record.isVolatile) core.save({ isVolatile: false }, failure => failure === undefined && then())
      else then()
    })
  }

  /** The peer is Secondary now: a Primary that was the second one writes. */
  takeRole(link: Link): void {
    const core = this.#core
    link.peer.role = 'secondary'
    if (link.phase === 'equal' && core.record.role === 'primary' && !core.isWriter) {
      const resume = link.hold()
      this.becomeWriter(() => {
        core.retry()
        resume()
      })
    }
    core.host.changed()
  }

  answerRole(link: Link, message: Extract<DataMessage, { kind: 'roleRequest' }>): void {
    const core = this.#core
    const answer = (refusal: string | undefined) => core.host.send('data', { kind: 'roleAnswer', refusal })
    // both ask at once: the one that listened is served
    if (link.roleAnswer !== undefined && link.listens) {
      answer('it is being promoted itself')
      return
    }
    if (core.isBusy && link.roleAnswer === undefined) {
      core.whenNotBusy(link.holdAgain(message))
      return
    }
    if (core.record.role === 'primary' && !message.two) {
      answer(peerIsPrimary)
      return
    }
    const { promotion } = core.record
    if (message.promotion < promotion) {
      answer(`its promotion has the number ${message.promotion}, and one of ${promotion} was made`)
      return
    }
    const agree = () => {
      link.peer.role = 'primary'
      if (link.phase === 'undecided') link.phase = 'target-starting'
      answer(undefined)
    }
    if (message.promotion === promotion) {
      agree()
      return
    }
    const resume = link.hold()
    core.save({ promotion: message.promotion }, error => {
      if (error !== undefined || link !== core.link) return
      agree()
      resume()
    })
  }

  takeRoleAnswer(link: Link, refusal: string | undefined): void {
    const { roleAnswer } = link
    link.roleAnswer = undefined
    if (roleAnswer === undefined) {
      this.#core.protocolError('it answers what was not asked')
      return
    }
    if (refusal === undefined) {
      roleAnswer()
      return
    }
    roleAnswer(refused(refusal === peerIsPrimary ? 'peer-is-primary' : 'refused', `the peer refuses: ${refusal}`))
  }

  answerWriter(link: Link): void {
    const core = this.#core
    const answer = (refusal: string | undefined) => core.host.send('data', { kind: 'writerAnswer', refusal })
    const resume = link.hold()
    core.whenNotBusy(() => {
      if (link !== core.link) return
      if (!core.isWriter || link.phase !== 'equal') answer('it does not write itself')
      else if (core.record.mode === 'checkpoints') answer('it takes checkpoints')
      else if (core.unreadable.size > 0) answer('writes failed there: demote it')
      else return this.#handOver(link, answer, resume)
      resume()
    })
  }

  takeWriterAnswer(link: Link, refusal: string | undefined): void {
    if (!link.hasAskedToWrite) {
      this.#core.protocolError('it answers what was not asked')
      return
    }
    link.hasAskedToWrite = false
    if (refusal === undefined) this.becomeWriter(() => this.#core.retry())
    else {
      const why = `the other Primary writes, and does not let this one: ${refusal}`
      this.#writes.refuseHeld(refused('not-writer', why))
    }
  }

  #handOver(link: Link, answer: (refusal: undefined) => void, resume: () => void): void {
    const core = this.#core
    core.occupy()
    this.#writes.whenThrough(() => {
      core.isWriter = false
      if (link === core.link) answer(undefined)
      core.release()
      resume()
    })
  }

  #promoteAlone(promotion: number, done: Done): void {
    const core = this.#core
    const { link } = core
    core.drain(error => {
      if (error !== undefined) return done(error)
      if (link !== core.link) return done(refused('busy', 'the peer came or went meanwhile: try again'))
      const generations = core.isOwnGeneration ? core.record.generations : core.nextGeneration()
      core.isOwnGeneration = true
      const kept = { role: 'primary', disk: 'consistent', mode: 'direct', isVolatile: false } as const
      const change = { ...kept, generations, promotion }
      core.save(change, failure => {
        if (failure !== undefined) return done(failure)
        core.isWriter = true
        this.#checkpoints.forget()
        core.discards = false
        done()
      })
    })
  }

  #askForRole(two: boolean, promotion: number, done: Done): void {
    const link = this.#core.link!
    link.roleAnswer = done
    this.#core.host.send('data', { kind: 'roleRequest', two, promotion })
  }

  /** The peer agrees; all that it sent before is received. */
  #promoteBesidePeer(promotion: number, done: Done): void {
    const core = this.#core
    const link = core.link!
    core.drain(error => {
      if (error !== undefined) return done(error)
      const isNew = core.record.generations.current === ''
      const generations = isNew ? core.nextGeneration() : core.record.generations
      // the second of two Primaries goes on receiving
      const isVolatile = core.record.isVolatile && link.peer.role === 'primary'
      const change = {
        role: 'primary',
        disk: 'consistent',
        mode: 'direct',
        isVolatile,
        generations,
        promotion,
      } as const
      core.save(change, failure => {
        if (failure !== undefined) return done(failure)
        core.isWriter = link.peer.role !== 'primary'
        this.#checkpoints.forget()
        core.discards = false
        done()
        // where it was lost meanwhile, the first write begins a generation
        if (link === core.link && link.phase === 'undecided') this.#resync.becomeSource(link, isNew)
      })
    })
  }
}

const peerIsPrimary = 'it is Primary itself'

const numberOver = (number: number, promotion: number): Error =>
  refused('number-over', `the number ${number} is over, as a promotion of ${promotion} was made: give a greater one`)

function notPromotable(disk: MetaRecord['disk'], generation: string): Error {
  if (generation === '')
    return refused('not-promotable', 'the disk is new: promote with force the node whose data counts')
  const what = disk === 'inconsistent' ? 'half a copy' : 'older than the last checkpoint'
  return refused('not-promotable', `its data is ${what}: connect it to its peer, or force it and lose what it lacks`)
}

import { decide, type Hello, isFenced, turned, type Verdict } from '../handshake.js'
import type { Core } from './core.js'
import type { Link } from './link.js'
import type { Resync } from './resync.js'
import type { Roles } from './roles.js'

/** Two nodes meet: each says what it has, and the one that listened decides who copies to whom. */
export class Greeting {
  readonly #core: Core
  readonly #roles: Roles
  readonly #resync: Resync
  /** What this node said last where it spoke first. */
  #said: Hello | undefined

  constructor(core: Core, roles: Roles, resync: Resync) {
    this.#core = core
    this.#roles = roles
    this.#resync = resync
  }

  /** The node that connected speaks first; a change that is under way is part of what it says. */
  begin(link: Link): void {
    this.#core.whenNotBusy(() => {
      if (this.#core.link !== link) return
      this.#said = this.#hello()
      this.#core.host.send('data', { kind: 'hello', hello: this.#said })
    })
  }

  takeHello(link: Link, its: Hello): void {
    const core = this.#core
    if (link.phase !== 'hello' || link.hello !== undefined) {
      core.protocolError('it greets twice')
      return
    }
    link.hello = its
    if (!link.listens) return
    const resume = link.hold()
    core.whenNotBusy(() => {
      if (link !== core.link) return
      const mine = this.#hello()
      const verdict = decide(mine, its)
      core.host.send('data', { kind: 'hello', hello: mine })
      core.host.send('data', { kind: 'verdict', verdict: turned(verdict) })
      resume()
      if (link === core.link) this.#follow(link, verdict)
    })
  }

  takeVerdict(link: Link, verdict: Verdict): void {
    const core = this.#core
    if (link.phase !== 'hello' || link.listens || link.hello === undefined || this.#said === undefined) {
      core.protocolError('it decides what it is not asked')
      return
    }
    // nobody else says what becomes of this node's data
    const own = decide(this.#said, link.hello)
    if (isSame(own, verdict)) this.#follow(link, own)
    else core.end(otherVerdict)
  }

  #hello(): Hello {
    const { record, metadata, isWriter } = this.#core
    const { pair, size, blockSize, role, disk, generations, mode, checkpoint, promotion } = record
    const { current: generation, bases, history } = generations
    const differs = metadata.differing.size > 0
    const isUnfinished = mode === 'checkpoints' && differs
    const { discards, options } = this.#core
    const { afterSplitBrain } = options
    return {
      ...{ pair, size, blockSize, role, isWriter, disk, generation, bases, history },
      ...{ differs, isUnfinished, checkpoint, promotion, discards, afterSplitBrain },
    }
  }

  #follow(link: Link, verdict: Verdict): void {
    const core = this.#core
    const { role, checkpoint, promotion } = link.hello!
    link.peer = { role, checkpoint }
    this.#hearOfPromotion(promotion)
    if ('why' in verdict) link.why = verdict.why
    core.isRefused = verdict.kind === 'refused'
    // the connection is ended by it, on whichever side
    core.why = verdict.kind === 'refused' ? verdict.why : ''
    if (!core.isRefused) core.discards = false
    switch (verdict.kind) {
      case 'equal':
        this.#becomeEqual(link)
        return
      case 'source':
        this.#resync.becomeSource(link, verdict.isFull)
        return
      case 'target':
        link.phase = 'target-starting'
        break
      case 'undecided':
        link.phase = 'undecided'
        break
      case 'refused':
        // the one that listened has said so: it is the other that ends the connection
        if (!link.listens) {
          core.end(verdict.why)
          return
        }
        link.phase = 'refused'
    }
    core.release()
  }

  /** A Primary of an earlier one is none any more. A Secondary remembers it: so an earlier Primary hears of it from this node as well. */
  #hearOfPromotion(promotion: number): void {
    const core = this.#core
    const { record, metadata } = core
    if (isFenced(record, { promotion })) core.fencedBy = promotion
    else if (promotion > record.promotion) metadata.note({ promotion })
  }

  /** Checkpoints are switched on anew: those before belong to another connection. */
  #becomeEqual(link: Link): void {
    const core = this.#core
    core.occupy()
    const resume = link.hold()
    core.settle({ generations: core.sharedGenerations(), mode: 'direct' }, error => {
      if (error !== undefined) return
      core.isOwnGeneration = false
      const start = () => {
        core.startEqual(link)
        core.release()
        resume()
      }
      const { isWriter, role } = link.hello!
      const isMine = role === 'secondary' || (!isWriter && !core.isWriter && link.listens)
      if (core.record.role === 'primary' && isMine && link === core.link) this.#roles.becomeWriter(start)
      else start()
    })
  }
}

const isSame = (own: Verdict, its: Verdict): boolean =>
  own.kind === its.kind && ('isFull' in own && own.isFull) === ('isFull' in its && its.isFull)

const otherVerdict =
  'it decides otherwise than this node about whose data counts: have both nodes the same version of this program?'

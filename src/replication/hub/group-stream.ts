import { ReplicationError, type ReplicationErrorCode } from '../replication-error.js'
import { type Attach, dataAtMost, type StreamMessage, type VolumeInfo } from '../wire/message.js'
import type { SessionMessage } from '../wire/session.js'
import { fileError } from './file-error.js'
import type { Journal } from './journal-seam.js'
import { checkName } from './names.js'
import { takeVolumes, type VolumeLimits } from './take-volumes.js'

/** The connection that an agent's stream comes over. */
export interface StreamLink {
  readonly agent: string
  send(message: SessionMessage): void
  /** Whether the agent still waits for this channel. */
  isOpen(channel: number): boolean
}

/** A stream that is attached. */
export interface Attachment {
  readonly link: StreamLink
  readonly channel: number
  readonly stream: string
  /** By the hub's clock, in microseconds. */
  readonly since: number
}

interface Live extends Attachment {
  epoch: number
  /** The next one; of a stream that is new here, the least that may be the first. */
  next: number
  isFirst: boolean
  /** Its stream goes on where the replica is: without it, the replica has to be made equal first. */
  continues: boolean
  volumes: ReadonlyMap<number, number>
  acknowledged: number
}

/** So much may be sent before it is durable, in bytes: a journal's batch, and the next one meanwhile. */
const window = 16 * 1024 * 1024
/**
 * A commit begins so long after the one before, in milliseconds, unless so many bytes wait, or somebody waits for it: each costs a sync, and
 * nobody's guest waits for it.
 */
const commitEvery = 30
const waitingAtMost = 2 * 1024 * 1024

export interface GroupStreamOptions {
  group: string
  journal: Journal
  now(): number
  /** Settles in so many milliseconds. */
  pause(milliseconds: number): Promise<void>
  limits: () => VolumeLimits
  /** Why no data is taken beyond what the journal itself says; undefined where it is. */
  overLimit: () => string | undefined
  /** Something was appended: which part of which volume. */
  wrote(volume: number, offset: number, length: number): void
  /** @throws ReplicationError owned where another hub has the group now */
  checkOwner(): void
}

/** What the hub knows of a group that a stream is attached to. */
export interface StreamGroup {
  epoch: number
  replica: string
  /** The stream is the agent's that is to be attached: notes that, durably. @throws ReplicationError full, file-failed, owned */
  admit(): Promise<void>
}

/** The stream of a group's agent, on its way into the journal. One is attached at a time. */
export class GroupStream {
  readonly #options: GroupStreamOptions
  #live: Live | undefined
  /** By the hub's clock, in microseconds. */
  #heard: number | undefined
  #ended: number | undefined
  /** Bytes that are appended, and not durable. */
  #uncommitted = 0
  #committing: Promise<void> | undefined
  #isMore = false
  /** Until when the next commit waits for more. */
  #pace = new Pace()
  /** Who is told when data is taken again. */
  readonly #toTell = new Set<StreamLink>()

  constructor(options: GroupStreamOptions) {
    this.#options = options
  }

  get attachment(): Attachment | undefined {
    return this.#live
  }

  /** When its agent sent something last. */
  get heard(): number | undefined {
    return this.#heard
  }

  /** When a stream was attached last; undefined where none was since the hub was started. */
  get ended(): number | undefined {
    return this.#ended
  }

  /** What differs between the replica and its disks is not known, and its agent has not said yet that it differs. */
  get isBehind(): boolean {
    return this.#live?.isFirst === true && !this.#live.continues
  }

  get uncommitted(): number {
    return this.#uncommitted
  }

  /**
   * Attaches a stream, whose epoch was looked at already, and tells the agent so. One of the same agent is replaced. Undefined where the agent
   * does not wait for it any more.
   *
   * @throws ReplicationError in-use while another agent's is attached; wrong-state for volumes that do not fit; full, file-failed
   */
  async attach(
    link: StreamLink,
    { channel, stream, oldest, previous, volumes }: Attach,
    { epoch, replica, admit }: StreamGroup,
  ): Promise<Attachment | undefined> {
    const { group, journal, limits, now } = this.#options
    const other = this.#live
    if (other !== undefined && other.link.agent !== link.agent) {
      this.#toTell.add(link)
      throw new ReplicationError(
        'in-use',
        `the agent ${other.link.agent} sends the group ${group}: detach it there first, or wait until it has gone`,
      )
    }
    if (other !== undefined)
      this.#end(other, 'in-use', `another connection of the agent ${link.agent} sends the group ${group} now`)
    this.#checkTaking(link)
    await this.settled()
    const kept = journal.stream
    const received = kept?.stream === stream && kept.sequence > 0 ? kept.sequence : undefined
    // a write is marked before it is sent, and cleared when the agent knows, durably, that its stream is here: all that came after its base is
    // that agent's, and still marked, also where it came in streams that began on that base
    const holds =
      kept !== undefined &&
      previous?.replica === replica &&
      [kept, ...kept.earlier].some(part => part.stream === previous.stream && part.sequence >= previous.sequence)
    try {
      takeVolumes(journal, group, volumes, limits())
      await journal.commit()
      // not of one that was refused: what is asked of the group's agent would go to it
      await admit()
    } catch (error) {
      const failure = fileError(`the stream of the group ${group} cannot be written to its journal`, error)
      if (failure.code === 'full') this.#toTell.add(link)
      throw failure
    }
    if (!link.isOpen(channel)) return undefined
    const sizes = new Map(volumes.map(({ number, size }: VolumeInfo) => [number, size]))
    this.#live = {
      link,
      channel,
      stream,
      epoch,
      since: now(),
      next: received === undefined ? Math.max(1, oldest) : received + 1,
      isFirst: received === undefined,
      continues: received !== undefined || holds,
      volumes: sizes,
      acknowledged: received ?? 0,
    }
    this.#heard = now()
    this.#toTell.delete(link)
    link.send({ kind: 'attached', channel, epoch, replica, received, holds, window })
    return this.#live
  }

  /** Appends a message of an attached stream. What is wrong with it ends the stream, and nothing else. */
  take(attachment: Attachment, message: StreamMessage): void {
    const live = this.#live
    // what was under way when it was stopped
    if (live === undefined || live !== attachment) return
    const { now, journal, overLimit, wrote, group } = this.#options
    this.#heard = now()
    try {
      this.#check(live, message)
      const over = overLimit()
      if (over !== undefined) throw new ReplicationError('full', over)
      // not before: until then, the replica is where the former stream has left it
      if (live.isFirst) journal.beginStream(live.stream, live.epoch, live.link.agent, live.continues)
      journal.append(message)
    } catch (error) {
      this.#stop(live, fileError(`the journal of the group ${group} cannot be written`, error))
      return
    }
    live.next = message.sequence + 1
    live.isFirst = false
    if ('volume' in message) wrote(message.volume, message.offset, lengthOf(message))
    this.#uncommitted += 'data' in message ? message.data.length : 0
    if (this.#uncommitted >= waitingAtMost || message.kind === 'point' || message.kind === 'settled') this.#pace.hurry()
    this.#commitSoon()
  }

  /** It has detached. */
  detach(attachment: Attachment): void {
    this.#toTell.delete(attachment.link)
    if (this.#live === attachment) this.#forget()
  }

  /** Nobody hears anything over a connection any more. */
  left(link: StreamLink): void {
    this.#toTell.delete(link)
    if (this.#live?.link === link) this.#forget()
  }

  /** Who is refused for now, and may come again. */
  tellWhenReady(link: StreamLink): void {
    this.#toTell.add(link)
  }

  /** Stops the stream that is attached. */
  stop(code: ReplicationErrorCode, message: string): void {
    if (this.#live !== undefined) this.#stop(this.#live, new ReplicationError(code, message))
  }

  /** Tells those who wait that data is taken again: of other agents none, while one's is attached. */
  tellReady(): void {
    const { group } = this.#options
    for (const link of [...this.#toTell]) {
      if (this.#live !== undefined && this.#live.link.agent !== link.agent) continue
      this.#toTell.delete(link)
      link.send({ kind: 'ready', group })
    }
  }

  /** Settles when nothing is being committed: what was appended is durable, or its stream is stopped. */
  async settled(): Promise<void> {
    while (this.#committing !== undefined) {
      this.#pace.hurry()
      await this.#committing
    }
  }

  #checkTaking(link: StreamLink): void {
    const { journal, group, overLimit } = this.#options
    const over = overLimit()
    if (journal.state === 'taking' && over === undefined) return
    if (journal.state === 'failed')
      throw new ReplicationError('file-failed', `the journal of the group ${group} has failed: start the hub again`)
    this.#toTell.add(link)
    throw new ReplicationError(
      'full',
      over ?? `the journal of the group ${group} is full: make room on the hub's disk, or keep less history`,
    )
  }

  /** @throws ReplicationError protocol */
  #check(live: Live, message: StreamMessage): void {
    const { sequence, kind } = message
    const isNext = live.isFirst ? sequence >= live.next : sequence === live.next
    if (!isNext) throw wrong(`sequence ${sequence} comes where ${live.next} is due`)
    const { last } = this.#options.journal
    if (live.isFirst && !live.continues && last.isSettled && kind !== 'unsettled')
      throw wrong('a stream that does not go on where the replica is has to begin with "unsettled"')
    if (kind === 'point') checkName('checkpoint', message.name)
    if (!('volume' in message)) return
    const size = live.volumes.get(message.volume)
    const length = lengthOf(message)
    if (size === undefined) throw wrong(`volume ${message.volume} is none of those that were attached`)
    if (length < 1 || ('data' in message && length > dataAtMost)) throw wrong(`${length} bytes of data in one message`)
    if (message.offset < 0 || message.offset + length > size)
      throw wrong(`a write to ${message.offset}+${length} of volume ${message.volume}, which has ${size} bytes`)
  }

  #commitSoon(): void {
    if (this.#committing !== undefined) {
      this.#isMore = true
      return
    }
    this.#committing = this.#commitAll().finally(() => {
      this.#committing = undefined
    })
  }

  async #commitAll(): Promise<void> {
    const { journal, group, checkOwner } = this.#options
    do {
      // with what else comes in this turn
      await Promise.resolve()
      await this.#pace.next
      this.#pace = new Pace(this.#options.pause(commitEvery))
      this.#isMore = false
      const live = this.#live
      const bytes = this.#uncommitted
      try {
        const { sequence } = await journal.commit()
        this.#uncommitted -= bytes
        // who has taken it over since then has found all of this
        checkOwner()
        this.#acknowledge(live, sequence)
      } catch (error) {
        this.#uncommitted = 0
        const failure = fileError(`the journal of the group ${group} cannot be written`, error)
        if (this.#live !== undefined) this.#stop(this.#live, failure)
        return
      }
    } while (this.#isMore)
  }

  #acknowledge(live: Live | undefined, sequence: number): void {
    if (live === undefined || live !== this.#live || this.#options.journal.stream?.stream !== live.stream) return
    if (sequence <= live.acknowledged) return
    live.acknowledged = sequence
    live.link.send({ kind: 'durable', channel: live.channel, sequence })
  }

  #stop(live: Live, error: ReplicationError): void {
    if (error.code === 'full' || error.code === 'fenced') this.#toTell.add(live.link)
    this.#end(live, error.code, error.message)
  }

  #forget(): void {
    this.#live = undefined
    this.#ended = this.#options.now()
  }

  #end(live: Live, code: ReplicationErrorCode, message: string): void {
    if (this.#live === live) this.#forget()
    live.link.send({ kind: 'stopped', channel: live.channel, code, message })
  }
}

/** How long the next commit waits for more. */
class Pace {
  readonly next: Promise<void>
  /** It waits no longer. */
  hurry: () => void = () => {}

  constructor(pause: Promise<void> = Promise.resolve()) {
    this.next = new Promise(resolve => {
      this.hurry = resolve
      void pause.then(resolve)
    })
  }
}

const lengthOf = (message: { data: Uint8Array } | { length: number }): number =>
  'data' in message ? message.data.length : message.length

const wrong = (what: string) => new ReplicationError('protocol', `the agent breaks the protocol: ${what}`)

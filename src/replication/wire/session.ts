import { closeNow } from '../../link/close-now.js'
import type { Duplex } from '../../link/duplex.js'
import type { Decoder } from '../../link/framing.js'
import type { Limits } from '../../link/limits.js'
import { LinkError } from '../../link/link-error.js'
import { noteArrival } from '../../link/look-once-more.js'
import { printable } from '../../printable.js'
import { isReplicationErrorCode, ReplicationError, type ReplicationErrorCode } from '../replication-error.js'
import { AnsweredUntil } from './answered-until.js'
import { Answers } from './answers.js'
import { Channels } from './channels.js'
import { broken } from './frame-header.js'
import { Heartbeat } from './heartbeat.js'
import { type Message, protocolVersion, type ReplyMessage, type RequestMessage } from './message.js'
import { encodeHeader, encodeMessage, messageDecoder } from './message-codec.js'
import { type Kind, kindTable } from './message-kinds.js'
import { type Asked, Requests } from './requests.js'

/** How long the other end may be silent, in milliseconds. */
const usualSilence = 6000
/** How much of a stream may wait to be sent; how much may, until no request is answered; and of all there is. In bytes. */
const streamUnsentAtMost = 4 * 1024 * 1024
const answersUnsentAtMost = 8 * 1024 * 1024
const unsentAtMost = 512 * 1024 * 1024
/** Data of this size is not copied behind its header, but sent by itself, in bytes. */
const ownPiece = 16 * 1024

type Greeting = Extract<Message, { kind: 'hello' | 'welcome' }>
type Inner = Greeting | Extract<Message, { kind: 'goodbye' | 'ping' | 'pong' }> | RequestMessage | ReplyMessage

/** What a session's user says and hears; requests and their answers go by `ask` and `request`. */
export type SessionMessage = Exclude<Message, Inner>

export interface SessionOptions {
  role: 'agent' | 'hub'
  /** This end's. */
  name: string
  /** How long the other end may be silent, in milliseconds, and to greet. 6000 by default; both ends should have about the same. */
  silence?: number | undefined
  /** Calls every so many milliseconds, until what it returns is called. */
  every: (milliseconds: number, call: () => void) => () => void
}

/** Who a session is for, once the other end has greeted. */
export interface SessionUser {
  /**
   * Data of it may be kept. What the other end says of a channel that is closed here does not come; all else is checked against the protocol, but not
   * what it names. @throws ReplicationError, or an error of the system, to end the session; the other end is told why
   */
  message(message: SessionMessage): void
  /** Answers what the other end asks. */
  request(request: RequestMessage, gone: AbortSignal): Promise<unknown>
  /** All is sent. */
  drained?(): void
  /** It is over. Called once, last. */
  ended(why: ReplicationError): void
}

export interface SessionHost {
  /** Whether the other end may be who it says. @throws ReplicationError where it may not; it is told why */
  admit?(name: string): void
  /** It has greeted. */
  greeted(session: Session, name: string): SessionUser
  /** It is over, greeted or not. Called once, after its user was told. */
  ended(why: ReplicationError): void
}

/**
 * One connection between an agent and a hub, from the greeting on. It reads always: what has no place is kept away by windows. Each channel has one
 * (`attached` says how large), the hub opens it by `durable`, and so a group whose journal is slow stands still alone. So nobody who is
 * alive is silent, and one that takes nothing is gone.
 */
export class Session {
  readonly #duplex: Duplex
  readonly #options: SessionOptions
  readonly #host: SessionHost
  readonly #decoder: Decoder<Message>
  readonly #heartbeat = new Heartbeat()
  readonly #answered = new AnsweredUntil()
  readonly #channels = new Channels()
  readonly #requests: Requests
  readonly #answers: Answers
  readonly #stopLooking: () => void
  #user: SessionUser | undefined
  #isGreeted = false
  #isOver = false
  #looksBefore = 0
  #received = 0
  #heard = performance.now()
  #written = 0
  /** How many bytes were written up to the end of the last `pong`. */
  #pongEnd = 0

  constructor(duplex: Duplex, options: SessionOptions, host: SessionHost) {
    this.#duplex = duplex
    this.#options = options
    this.#host = host
    this.#decoder = messageDecoder(kind => this.#mayCome(kind))
    this.#requests = new Requests(message => this.#write(message))
    this.#answers = new Answers(
      (request, gone) => this.#answer(request, gone),
      reply => this.#write(reply),
      () => this.unsent > answersUnsentAtMost,
    )
    const { every, silence = usualSilence, role, name } = options
    this.#stopLooking = every(silence / this.#heartbeat.looks, () => this.#look())
    duplex.start({
      data: bytes => this.#data(bytes),
      end: cause => this.#closed(cause),
      drained: () => this.#drained(),
    })
    if (role === 'agent') this.#write({ kind: 'hello', version: protocolVersion, agent: name })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** How many bytes wait to be sent. */
  get unsent(): number {
    return this.#duplex.unsent ?? 0
  }

  /** When something came last, in milliseconds as `performance.now` counts. */
  get heard(): number {
    return this.#heard
  }

  /**
   * What the other end says from now on it says after that time, as `performance.now` counts: it has said that it received what was sent
   * then. Undefined where it has not yet.
   */
  get answered(): number | undefined {
    return this.#answered.time
  }

  /** How many bytes were received in all. */
  get received(): number {
    return this.#received
  }

  /**
   * Whether the next message of a channel's stream may be sent: its window is open, and not too much waits to be sent already. Worth to ask again after
   * `attached`, `durable` and `drained`.
   */
  maySend(channel: number): boolean {
    return !this.#isOver && this.#channels.isOpen(channel) && this.unsent < streamUnsentAtMost
  }

  /** How many bytes of a channel's stream are sent, or received, and not durable. */
  weight(channel: number): number {
    return this.#channels.weight(channel)
  }

  /**
   * Sends a message; its data must not change until it is sent.
   *
   * @returns false where the session is over, or the channel is closed: by the other end, or `detach`
   * @throws Error for what the protocol forbids, such as a closed window; RangeError for what is too long
   */
  send(message: SessionMessage): boolean {
    if (this.#isOver || !this.#isGreeted) return false
    const passed = this.#pass(message)
    if (passed === 'late') return false
    if (passed !== undefined) throw new Error(`${this.#options.role} would send ${passed.problem}`)
    this.#write(message)
    return true
  }

  /** Asks for bytes. @throws ReplicationError that which the other end answers; `lost` where the time is up or the connection ends */
  async askBytes(
    request: Asked<Extract<RequestMessage, { kind: 'digestsRequest' | 'readRequest' }>>,
    limits?: Limits,
  ): Promise<Uint8Array> {
    return (await this.#requests.ask(request, limits)) as Uint8Array
  }

  /** Asks for something to be done; the result is not checked. @throws as `askBytes` */
  ask(
    request: Asked<Extract<RequestMessage, { kind: 'command' | 'writeRequest' }>>,
    limits?: Limits,
  ): Promise<unknown> {
    return this.#requests.ask(request, limits)
  }

  /** Ends it; the other end is told why. */
  close(code: ReplicationErrorCode = 'lost', message = `the ${this.#options.role} has ended the connection`): void {
    this.#end(new ReplicationError(code, message), true)
  }

  get #other(): 'agent' | 'hub' {
    return this.#options.role === 'agent' ? 'hub' : 'agent'
  }

  #mayCome(kind: Kind): boolean {
    if (kind === 'goodbye') return true
    if (!this.#isGreeted) return kind === (this.#options.role === 'hub' ? 'hello' : 'welcome')
    const { from } = kindTable[kind]
    return kind !== 'hello' && kind !== 'welcome' && (from === 'both' || from === this.#other)
  }

  #data(bytes: Uint8Array): void {
    if (this.#isOver) return
    noteArrival()
    this.#received += bytes.length
    this.#heard = performance.now()
    this.#heartbeat.heard()
    const own = this.#duplex.givesAway === true ? bytes : new Uint8Array(bytes)
    try {
      this.#decoder.push(own, message => {
        if (!this.#isOver) this.#take(message)
      })
    } catch (error) {
      this.#fail(error)
    }
  }

  /** What the other end has broken, or its user could not do, ends it; a bug is the process's trouble too. */
  #fail(error: unknown): void {
    if (error instanceof ReplicationError) this.#end(error, true)
    else if (error instanceof LinkError)
      this.#end(new ReplicationError('protocol', error.message, { cause: error }), true)
    else {
      const why = `the ${this.#options.role} failed: ${printable(error instanceof Error ? error.message : String(error))}`
      this.#end(new ReplicationError('file-failed', why, { cause: error }), true)
      if (!(error instanceof Error && 'syscall' in error)) throw error
    }
  }

  #take(message: Message): void {
    switch (message.kind) {
      case 'hello':
        this.#greet(message, message.agent)
        break
      case 'welcome':
        this.#greet(message, message.hub)
        break
      case 'goodbye':
        this.#end(this.#farewell(message.code, message.message), false)
        break
      case 'ping':
      case 'pong':
        this.#beat(message)
        break
      case 'bytes':
      case 'done':
      case 'failed':
        this.#requests.take(message)
        break
      case 'digestsRequest':
      case 'readRequest':
      case 'writeRequest':
      case 'command':
        this.#answers.take(message)
        break
      default: {
        const passed = this.#pass(message)
        if (passed === undefined) this.#user!.message(message)
        else if (passed !== 'late') throw broken(passed.problem)
      }
    }
  }

  #greet({ version }: Greeting, name: string): void {
    const { role } = this.#options
    if (version !== protocolVersion) {
      const older = version < protocolVersion ? this.#other : role
      throw new ReplicationError(
        'protocol',
        `the ${this.#other} speaks version ${version} of the protocol, and the ${role} version ${protocolVersion}: update the ${older}`,
      )
    }
    this.#host.admit?.(name)
    if (role === 'hub') this.#write({ kind: 'welcome', version: protocolVersion, hub: this.#options.name })
    this.#isGreeted = true
    this.#user = this.#host.greeted(this, name)
    if (this.#isOver) this.#user.ended(new ReplicationError('lost', 'it was ended at once'))
  }

  #farewell(code: string, why: string): ReplicationError {
    const message = `the ${this.#other} has ended the connection: ${why}`
    return new ReplicationError(isReplicationErrorCode(code) ? code : 'lost', message)
  }

  #beat({ kind, received }: Extract<Message, { kind: 'ping' | 'pong' }>): void {
    if (received > this.#written) throw broken(`that it has received ${received} bytes, of ${this.#written}`)
    this.#heartbeat.took(received)
    this.#answered.took(received)
    // one that asks and does not read has one answer waiting, and no more
    if (kind === 'pong' || this.#written - this.unsent < this.#pongEnd) return
    this.#write({ kind: 'pong', received: this.#received })
    this.#pongEnd = this.#written
  }

  #pass(message: SessionMessage): ReturnType<Channels['pass']> {
    return message.kind === 'ready' || message.kind === 'report' ? undefined : this.#channels.pass(message)
  }

  #answer(request: RequestMessage, gone: AbortSignal): Promise<unknown> {
    const { channel } = request
    if (channel === 0 || this.#channels.isKnown(channel)) return this.#user!.request(request, gone)
    return Promise.reject(new ReplicationError('not-found', `there is no channel ${channel}`))
  }

  #write(message: Message): void {
    if (this.#isOver) return
    if ('data' in message && message.data.length >= ownPiece) {
      this.#writeBytes(encodeHeader(message))
      this.#writeBytes(message.data)
    } else this.#writeBytes(encodeMessage(message))
    if (this.unsent > unsentAtMost) this.#lose('it takes nothing of what is sent')
  }

  #writeBytes(bytes: Uint8Array): void {
    this.#written += bytes.length
    this.#duplex.write(bytes)
  }

  #drained(): void {
    if (this.#isOver) return
    this.#answers.goOn()
    this.#user?.drained?.()
  }

  #look(): void {
    if (this.#isOver) {
      // it has had its time to take the reason
      this.#stopLooking()
      closeNow(this.#duplex)
      return
    }
    const why = this.#heartbeat.look(this.#written, this.unsent)
    if (why !== undefined) this.#lose(why)
    else if (this.#isGreeted) this.#ping()
    else if (++this.#looksBefore > this.#heartbeat.looks) this.#lose('it does not greet')
  }

  #ping(): void {
    this.#write({ kind: 'ping', received: this.#received })
    this.#answered.sent(this.#written, performance.now())
  }

  #closed(cause: Error | undefined): void {
    this.#stopLooking()
    const hint = this.#isGreeted ? '' : ' before it greeted: do both ends have TLS, or neither?'
    const why = `${cause === undefined ? 'the connection was closed' : printable(cause.message)}${hint}`
    this.#end(new ReplicationError('lost', `the ${this.#other} is gone: ${why}`, { cause }), false)
  }

  #lose(why: string): void {
    this.#end(new ReplicationError('lost', `the ${this.#other} is gone: ${why}`), true)
  }

  /** @param isTold whether the other end is told */
  #end(why: ReplicationError, isTold: boolean): void {
    if (this.#isOver) return
    if (isTold) this.#writeBytes(encodeMessage({ kind: 'goodbye', code: why.code, message: why.message }))
    this.#isOver = true
    this.#duplex.close()
    this.#requests.failAll(why.message)
    this.#answers.end()
    this.#user?.ended(why)
    this.#host.ended(why)
  }
}

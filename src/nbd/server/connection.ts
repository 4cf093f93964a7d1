import { type Deadline, deadline } from '../../link/deadline.js'
import type { Duplex } from '../../link/duplex.js'
import { noteArrival } from '../../link/look-once-more.js'
import { ByteQueue } from '../byte-queue.js'
import type { NbdAsker, NbdExport } from '../nbd-export.js'
import { answering } from './answering.js'
import { greeting, Handshake, type HandshakeStep } from './handshake.js'
import { Transmission, type TransmissionStep } from './transmission.js'

/** A client that takes its leave has so long to read what is left for it, in milliseconds. */
const farewell = 5000
/** What Node.js reads of a socket at a time: where so much has come, more lies behind it. */
const wholeRead = 64 * 1024
/** After so long the others have their turn, in milliseconds. */
const longestTurn = 5
/** After so many steps it looks at the clock, which costs a part of a small one. */
const stepsPerLook = 4

export interface ConnectionOptions {
  find(name: string, asker: NbdAsker): NbdExport | undefined
  names(asker: NbdAsker): readonly string[] | undefined
  /** For the handshake, in milliseconds. */
  handshakeTimeout: number
  /** Absent where there is no TLS: puts it on the duplex. */
  secure?: (() => Promise<Duplex>) | undefined
  /** Nothing but TLS is served. */
  mustBeSecure: boolean
  /** Asked before answers are sent; undefined where they always may be. */
  mayAnswer?: (() => boolean) | undefined
}

/** One client: the handshake, then its requests. */
export class ServerConnection {
  /** Settles once it is over and all that was begun for it is through: nothing of it has an effect later. */
  readonly closed: Promise<void>
  #resolveClosed!: () => void
  #duplex: Duplex
  readonly #options: ConnectionOptions
  readonly #input = new ByteQueue()
  readonly #handshake: Handshake
  #transmission: Transmission | undefined
  #exportName: string | undefined
  #isSecure = false
  /** TLS is being put on: the duplex before it says nothing any more. */
  #securing = false
  #limit: Deadline | undefined
  #paused = false
  #pumping = false
  /** It waits for room. */
  #busy = false
  /** Nothing is begun before the others had their turn. */
  #resting = false
  #over = false
  #leaving = false
  #gone = false

  constructor(duplex: Duplex, options: ConnectionOptions) {
    this.#duplex = duplex
    this.#options = options
    this.closed = new Promise(resolve => {
      this.#resolveClosed = resolve
    })
    this.#handshake = new Handshake({
      find: name => options.find(name, this.#asker),
      names: () => options.names(this.#asker),
      unsent: () => this.#duplex.unsent ?? 0,
      send: bytes => this.#duplex.write(bytes),
      tls: () => {
        if (this.#isSecure) return 'on'
        if (options.secure === undefined) return 'none'
        return options.mustBeSecure ? 'must' : 'may'
      },
    })
    this.#limit = deadline({ timeout: options.handshakeTimeout }, () => this.end())
    this.#start()
    duplex.write(greeting())
  }

  /** The export that the client has chosen. */
  get exportName(): string | undefined {
    return this.#exportName
  }

  /** Whether the client has said that it goes. */
  get saidGoodbye(): boolean {
    return this.#leaving
  }

  /** Ends it at once. Requests that have not begun never do. */
  end(): void {
    this.#finish()
    if (this.#duplex.abort === undefined) this.#duplex.close()
    else this.#duplex.abort()
  }

  #start(): void {
    const duplex = this.#duplex
    duplex.start({
      data: bytes => {
        if (this.#over || this.#leaving) return
        noteArrival()
        this.#input.push(bytes, duplex.givesAway ?? false)
        if (this.#resting) this.#flow(true)
        else this.#pump(bytes.length === wholeRead)
      },
      drained: () => this.#pump(),
      end: () => {
        this.#gone = true
        this.#finish()
      },
    })
  }

  #pump(isMoreComing = false): void {
    if (this.#pumping || this.#resting) return
    this.#pumping = true
    try {
      if (this.#transmission === undefined) this.#work()
      else this.#transmission.answers.holding(() => this.#work(), isMoreComing)
    } finally {
      this.#pumping = false
    }
  }

  #work(): void {
    const end = performance.now() + longestTurn
    for (let steps = 1; ; steps++) {
      if (this.#over || this.#leaving || this.#securing) return
      const step = (this.#transmission ?? this.#handshake).step(this.#input)
      if (step === 'more') {
        if (steps % stepsPerLook !== 0 || performance.now() < end) continue
        this.#rest(false)
        return
      }
      if (step === 'wait' || step === 'busy') {
        this.#busy = step === 'busy'
        this.#flow(this.#busy)
        return
      }
      this.#turn(step)
    }
  }

  #turn(step: Exclude<HandshakeStep | TransmissionStep, 'more' | 'wait' | 'busy'>): void {
    if (step === 'garbage') this.end()
    else if (step === 'bye') this.#leave()
    else if (step === 'tls') this.#secure()
    else {
      this.#limit?.[Symbol.dispose]()
      this.#limit = undefined
      this.#exportName = step.chosen.name
      this.#transmission = new Transmission(answering(this.#duplex, this.#options.mayAnswer), step, () =>
        this.#settled(),
      )
    }
  }

  /** Reads on, or does not while the client has to wait and much has come: what is read less far says when the client goes. */
  #flow(isHeld: boolean): void {
    const isPaused = isHeld && this.#input.length >= wholeRead
    if (isPaused === this.#paused) return
    this.#paused = isPaused
    if (isPaused) this.#duplex.pause?.()
    else this.#duplex.resume?.()
  }

  #settled(): void {
    if (this.#over || this.#leaving) this.#check()
    else if (this.#busy && !this.#resting && !this.#transmission!.isBusy) this.#look()
  }

  /** There is room again. A client that went meanwhile is one that takes no replies, or whose end can be read. */
  #look(): void {
    this.#transmission!.answers.flush()
    this.#rest(true)
  }

  /** Goes on in the next turn of the event loop; `hasLooked`, after all sockets were looked at. */
  #rest(hasLooked: boolean): void {
    this.#resting = true
    this.#flow(!hasLooked)
    const goOn = () => {
      this.#resting = false
      this.#pump()
    }
    // one that is put off while sockets are read comes before the next look at them
    setImmediate(hasLooked ? () => setImmediate(goOn) : goOn)
  }

  get #asker(): NbdAsker {
    return { isCertified: this.#duplex.isCertified }
  }

  /** What came in plain text behind STARTTLS is not what a client sends that waits for the answer: somebody put it there. */
  #secure(): void {
    if (this.#input.length > 0) {
      this.end()
      return
    }
    this.#isSecure = true
    this.#handshake.reset()
    this.#securing = true
    this.#options.secure!().then(
      duplex => {
        this.#securing = false
        this.#duplex = duplex
        this.#start()
        if (this.#over) this.end()
      },
      () => {
        this.#gone = true
        this.end()
      },
    )
  }

  /** The client says that it goes: what is under way is answered first. */
  #leave(): void {
    this.#leaving = true
    this.#input.clear()
    // what comes now is dropped, but for the end
    this.#flow(false)
    this.#transmission?.answers.flush()
    this.#limit?.[Symbol.dispose]()
    this.#limit = deadline({ timeout: farewell }, () => this.end())
    this.#check()
  }

  #finish(): void {
    if (!this.#over) {
      this.#over = true
      this.#input.clear()
      this.#transmission?.end()
      this.#limit?.[Symbol.dispose]()
    }
    this.#check()
  }

  #check(): void {
    if ((this.#transmission?.requests ?? 0) > 0) return
    if (this.#over && this.#gone) this.#resolveClosed()
    // replies of this turn are sent first
    else if (this.#leaving && !this.#over) queueMicrotask(() => this.#duplex.close())
  }
}

import type { Geometry } from '../geometry.js'
import type { Hello } from '../handshake.js'
import type { Metadata } from '../keep/metadata.js'
import type { NodeHost } from '../node-host.js'
import type { CopySource } from '../stream/copy-source.js'
import type { CopyTarget } from '../stream/copy-target.js'
import type { DataMessage } from '../stream/message.js'
import type { Receiver } from '../stream/receiver.js'
import { Sender } from '../stream/sender.js'

export type Phase =
  /** Nothing is agreed on yet. */
  | 'hello'
  /** Both hold the same; what one writes goes to the other. */
  | 'equal'
  /** Whichever is promoted first is copied to the other. */
  | 'undecided'
  | 'refused'
  /** It is to copy, and has not told the other yet. */
  | 'source-starting'
  | 'source'
  | 'target-starting'
  | 'target'

/** One connection, as one of its nodes has it. */
export class Link {
  phase: Phase = 'hello'
  /** Why it is undecided or refused. */
  why = ''
  /** This node listened: it decides who copies to whom. */
  readonly listens: boolean
  readonly sender: Sender
  hello: Hello | undefined
  peer: { role: 'primary' | 'secondary'; checkpoint: number } = { role: 'secondary', checkpoint: 0 }
  receiver: Receiver | undefined
  source: CopySource | undefined
  target: CopyTarget | undefined
  /** Called with the peer's answer to a role that this node wants. */
  roleAnswer: ((error?: Error) => void) | undefined
  hasAskedToWrite = false
  readonly #inbox: DataMessage[] = []
  readonly #take: (message: DataMessage) => void
  readonly #pause: (isPaused: boolean) => void
  #isHeld = false
  #isOver = false

  constructor(
    host: NodeHost,
    geometry: Geometry,
    { metadata, unreadable }: { metadata: Metadata; unreadable: ReadonlySet<number> },
    listens: boolean,
    take: (message: DataMessage) => void,
  ) {
    this.listens = listens
    this.sender = new Sender(host, geometry, metadata.differing, unreadable)
    this.#take = take
    this.#pause = isPaused => host.pause(isPaused)
  }

  /** Whether what this node writes goes to the peer. */
  get isReplicating(): boolean {
    return this.phase === 'equal' || this.phase === 'source'
  }

  receive(message: DataMessage): void {
    this.#inbox.push(message)
    this.#read()
  }

  /** Whether what comes on the data channel waits. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** What comes next on the data channel waits until what is returned is called; the peer is not read from meanwhile. */
  hold(): () => void {
    this.#isHeld = true
    this.#pause(true)
    return () => {
      if (this.#isOver) return
      this.#isHeld = false
      this.#read()
      if (!this.#isHeld) this.#pause(false)
    }
  }

  /** As `hold`; then the message is taken again, before those that waited. */
  holdAgain(message: DataMessage): () => void {
    this.#inbox.unshift(message)
    return this.hold()
  }

  /** The connection is lost. */
  end(): void {
    this.#isOver = true
    this.source?.stop()
    this.target?.lost()
    this.receiver?.lost()
    this.sender.lost()
  }

  #read(): void {
    while (!this.#isHeld && !this.#isOver) {
      const message = this.#inbox.shift()
      if (message === undefined) return
      this.#take(message)
    }
  }
}

import { Buffer } from 'node:buffer'
import { randomInt } from 'node:crypto'
import {
  checkArray,
  checkInteger,
  checkLimits,
  checkMethods,
  checkObject,
  checkOptions,
  checkText,
  checkTimeout,
  wrongValue,
} from '../check-argument.js'
import { beforeDeadline } from '../link/before-deadline.js'
import type { Duplex } from '../link/duplex.js'
import { EventQueue } from '../link/event-queue.js'
import type { Limits } from '../link/limits.js'
import { LineDecoder } from '../link/line-decoder.js'
import { LinkError } from '../link/link-error.js'
import { noteArrival } from '../link/look-once-more.js'
import { RequestTable } from '../link/request-table.js'
import { printable } from '../printable.js'
import type { QmpArguments, QmpCommand } from './command.js'
import {
  type Answer,
  type Greeting,
  type Message,
  NotQmp,
  type QemuVersion,
  type QmpEvent,
  readMessage,
} from './message.js'
import type { Qmp, QmpEvents, QmpEventsOptions, QmpRequestOptions } from './qmp.js'
import { QmpError } from './qmp-error.js'
import { UnexpectedReply } from './reply.js'

/** QEMU stops reading where more commands than this wait, and then reads none out of band either. */
const atMost = 8
/** A QEMU that is busy starting up may take a while; one whose monitor another client has never greets. */
const greetingTimeout = 10_000

export interface QmpClientOptions extends Limits {
  /** For commands that have none of their own, in milliseconds. Without it they wait as long as the connection lasts. */
  timeout?: number | undefined
}

interface Request {
  command: string
  /** The command as JSON, but for its id and the closing brace. */
  json: string
}

/**
 * Speaks QMP over a connection that is made; resolves when QEMU takes commands.
 *
 * @throws QmpError EPROTO where there is no QMP, ETIMEDOUT where no greeting comes (another client has the monitor), ECANCELED,
 * ECONNRESET
 */
export async function openQmp(duplex: Duplex, options: QmpClientOptions = {}): Promise<Qmp> {
  checkMethods('duplex', duplex, ['start', 'write', 'close'], 'a duplex')
  checkLimits(options)
  checkTimeout('timeout', options.timeout)
  const client = new QmpClient(duplex, options.timeout)
  try {
    await client.negotiate({ signal: options.signal, timeout: greetingTimeout })
  } catch (error) {
    void client.close()
    throw error
  }
  return client
}

class QmpClient implements Qmp {
  readonly closed: Promise<QmpError | undefined>
  outOfBand = false
  readonly #duplex: Duplex
  readonly #timeout: number | undefined
  readonly #lines = new LineDecoder()
  readonly #requests: RequestTable<number, Request>
  readonly #queues = new Map<EventQueue<QmpEvent>, ReadonlySet<string> | undefined>()
  readonly #greeting: Promise<Greeting>
  #greet!: (greeting: Greeting) => void
  #failGreeting!: (error: QmpError) => void
  #version: QemuVersion | undefined
  /** Where the greeting was read, and the capabilities are not agreed on. */
  #isNegotiating = false
  #over: QmpError | undefined
  #resolveClosed!: (error: QmpError | undefined) => void

  constructor(duplex: Duplex, timeout: number | undefined) {
    this.#duplex = duplex
    this.#timeout = timeout
    this.#requests = new RequestTable({
      atMost,
      // from where no answer to a client before us can be
      nextId: (last = randomInt(2 ** 20, 2 ** 40)) => last + 1,
      send: (id, { json }) => duplex.write(Buffer.from(`${json},"id":${id}}\n`)),
      overError: ({ command }, { code, why, cause }) => new QmpError(code, `${command}: ${why}`, { command, cause }),
      lostError: ({ command }, error) =>
        new QmpError(error.code, `${command}: ${error.message}`, { command, cause: error }),
    })
    this.closed = new Promise(resolve => {
      this.#resolveClosed = resolve
    })
    this.#greeting = new Promise((resolve, reject) => {
      this.#greet = resolve
      this.#failGreeting = reject
    })
    // whoever waits for it hears of its failure
    this.#greeting.catch(() => {})
    duplex.start({ data: bytes => this.#data(bytes), end: cause => this.#ended(cause) })
  }

  get version(): QemuVersion {
    return this.#version!
  }

  async negotiate(limits: Limits): Promise<void> {
    const { capabilities, version } = await beforeDeadline(
      this.#greeting,
      limits,
      ({ code, why, cause }) =>
        new QmpError(code, `no greeting from QEMU (${why}): has another client this monitor?`, { cause }),
    )
    this.#version = version
    this.outOfBand = capabilities.includes('oob')
    await this.execute('qmp_capabilities', this.outOfBand ? { enable: ['oob'] } : undefined, limits)
    this.#isNegotiating = false
  }

  async run<Arguments extends QmpArguments | undefined, Reply>(
    command: QmpCommand<Arguments, Reply>,
    args?: QmpArguments,
    options?: QmpRequestOptions,
  ): Promise<Reply> {
    checkCommand(command)
    return readReply(command, await this.execute(command.name, args, options))
  }

  async runOutOfBand<Arguments extends QmpArguments | undefined, Reply>(
    command: QmpCommand<Arguments, Reply>,
    args?: QmpArguments,
    options?: QmpRequestOptions,
  ): Promise<Reply> {
    checkCommand(command)
    return readReply(command, await this.executeOutOfBand(command.name, args, options))
  }

  execute(command: string, args?: QmpArguments, options?: QmpRequestOptions): Promise<unknown> {
    return this.#ask('execute', command, args, options)
  }

  executeOutOfBand(command: string, args?: QmpArguments, options?: QmpRequestOptions): Promise<unknown> {
    if (!this.outOfBand) {
      const why = 'this QEMU takes no command out of band'
      return Promise.reject(new QmpError('no-out-of-band', `${command}: ${why}`, { command }))
    }
    return this.#ask('exec-oob', command, args, options)
  }

  events(options: QmpEventsOptions = {}): QmpEvents {
    checkOptions(options)
    const { names, capacity } = options
    if (names !== undefined) checkArray('names', names, 'strings')
    for (const name of names ?? []) checkText('name', name)
    if (capacity !== undefined) checkInteger('capacity', capacity, 1, Number.MAX_SAFE_INTEGER)
    const queue = new EventQueue<QmpEvent>({
      capacity,
      overflow: 'fail',
      overflowError: most => new QmpError('EOVERFLOW', `more than ${most} events came before they were read`),
      ended: () => this.#queues.delete(queue),
    })
    if (this.#over === undefined) this.#queues.set(queue, names && new Set(names))
    else queue.end(errorOf(this.#over))
    return queue
  }

  async close(): Promise<void> {
    this.#finish(new QmpError('EBADF', 'the connection was closed'))
    await this.closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #ask(
    kind: 'execute' | 'exec-oob',
    command: string,
    args: QmpArguments | undefined,
    options: QmpRequestOptions | undefined,
  ): Promise<unknown> {
    checkText('command', command)
    if (args !== undefined) checkObject('args', args)
    checkLimits(options)
    const { signal, timeout = this.#timeout } = options ?? {}
    checkTimeout('timeout', timeout)
    const json = toJson({ [kind]: command, arguments: args }).slice(0, -1)
    return this.#requests.ask({ command, json }, { signal, timeout }, kind === 'exec-oob')
  }

  #data(bytes: Uint8Array): void {
    if (this.#over !== undefined) return
    noteArrival()
    this.#requests.holding(() => {
      try {
        this.#lines.push(bytes, line => {
          if (this.#over === undefined) this.#take(readMessage(Buffer.from(line).toString('utf8').trim()))
        })
      } catch (error) {
        if (!(error instanceof NotQmp || error instanceof LinkError)) throw error
        this.#finish(new QmpError('EPROTO', `this is no QMP: ${printable(error.message)}`, { cause: error }))
      }
    })
  }

  #take(message: Message): void {
    switch (message.kind) {
      case 'greeting':
        this.#isNegotiating = true
        this.#greet(message)
        break
      case 'event':
        for (const [queue, names] of this.#queues) if (names?.has(message.event.name) ?? true) queue.push(message.event)
        break
      case 'return':
        if (this.#isAnswer(message)) this.#requests.resolve(message.id, () => message.value)
        break
      case 'error': {
        const { errorClass, description } = message
        if (this.#isAnswer(message))
          this.#requests.reject(message.id, ({ command }) => refusal(command, errorClass, description))
      }
    }
  }

  /**
   * Whether it answers a command of ours: what the client before us left may be answered to us, until we are through with the greeting.
   *
   * @throws NotQmp
   */
  #isAnswer(message: Answer): message is Answer & { id: number } {
    const { id } = message
    if (id !== undefined && this.#requests.peek(id) !== undefined) return true
    if (this.#isNegotiating) return false
    const what = message.kind === 'error' ? `an error, ${message.description},` : 'an answer'
    throw new NotQmp(`${what} to no command (id ${id ?? 'none'})`)
  }

  #ended(cause: Error | undefined): void {
    const where = this.#lines.unfinished === 0 ? '' : ' in the middle of a message'
    const why = cause === undefined ? '' : `: ${cause.message}`
    this.#finish(new QmpError('ECONNRESET', `QEMU closed the connection${where}${why}`, { cause }))
    this.#resolveClosed(errorOf(this.#over!))
  }

  #finish(error: QmpError): void {
    if (this.#over !== undefined) return
    this.#over = error
    this.#failGreeting(error)
    this.#requests.failAll(error)
    for (const queue of [...this.#queues.keys()]) queue.end(errorOf(error))
    this.#duplex.close()
  }
}

function toJson(message: object): string {
  try {
    return JSON.stringify(message)
  } catch (cause) {
    throw Object.assign(wrongValue('args', 'what JSON can say', (cause as Error).message), { cause })
  }
}

function checkCommand(command: unknown): void {
  checkMethods('command', command, ['reply'], 'a command')
  checkText('command.name', (command as { name?: unknown }).name)
}

/** Our own close is no error to those who read events. */
const errorOf = (over: QmpError): QmpError | undefined => (over.code === 'EBADF' ? undefined : over)

function refusal(command: string, errorClass: string, description: string): QmpError {
  const kind = errorClass === 'GenericError' ? '' : ` (${printable(errorClass)})`
  const message = `QEMU refuses ${command}: ${printable(description)}${kind}`
  return new QmpError('refused', message, { command, errorClass, description })
}

function readReply<Reply>({ name, reply }: QmpCommand<QmpArguments | undefined, Reply>, value: unknown): Reply {
  try {
    return reply(value)
  } catch (error) {
    if (!(error instanceof UnexpectedReply)) throw error
    throw new QmpError('EPROTO', `the answer to ${name}: ${error.message}`, { command: name, cause: error })
  }
}

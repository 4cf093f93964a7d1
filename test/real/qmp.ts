import type { Duplex } from '#xenlight/link/duplex.js'
import { LineDecoder } from '#xenlight/link/line-decoder.js'
import { LinkError } from '#xenlight/link/link-error.js'
import { RequestTable } from '#xenlight/link/request-table.js'

/** QEMU refused a command. */
class QmpError extends Error {
  override readonly name = 'QmpError'

  /** QEMU's kind of error, such as GenericError or CommandNotFound. */
  readonly errorClass: string

  constructor(errorClass: string, description: string) {
    super(description)
    this.errorClass = errorClass
  }
}

/** What QEMU tells unasked. */
export interface QmpEvent {
  event: string
  data?: unknown
}

/** A client on one QMP connection. Commands may be sent while others wait; QEMU answers them in order. */
export interface Qmp {
  /** Resolves to what the command returns. @throws QmpError if QEMU refuses it */
  execute<Result>(command: string, args?: object): Promise<Result>
  /** The same past all that wait or block: only for the few commands that QEMU takes so. */
  executeOutOfBand<Result>(command: string, args?: object): Promise<Result>
  /** What happened since the connection was made, oldest first. */
  readonly events: readonly QmpEvent[]
}

interface Message extends Partial<QmpEvent> {
  QMP?: { capabilities: string[] }
  id?: number
  return?: unknown
  error?: { class: string; desc: string }
}

interface Command {
  execute?: string
  'exec-oob'?: string
  arguments: object | undefined
}

/** QEMU stops reading where more commands than this wait, and then reads none out of band either. */
const atMost = 8

/** Speaks QMP; resolves when QEMU takes commands. Every promise is rejected with `reasonOfEnd()` when the connection ends. */
export async function openQmp(duplex: Duplex, reasonOfEnd: () => Error): Promise<Qmp> {
  const events: QmpEvent[] = []
  const requests = new RequestTable<number, Command>({
    atMost,
    nextId: (last = 0) => last + 1,
    send: (id, command) => duplex.write(Buffer.from(`${JSON.stringify({ ...command, id })}\n`)),
    overError: (_, { code, why }) => new LinkError(code, why),
    lostError: reasonOfEnd,
  })
  const take = ({ id, event, data, error, return: result }: Message) => {
    if (event !== undefined) events.push({ event, data })
    else if (id === undefined || requests.peek(id) === undefined) duplex.close()
    else if (error !== undefined) requests.reject(id, () => new QmpError(error.class, error.desc))
    else requests.resolve(id, () => result)
  }

  const lines = new LineDecoder()
  const { QMP: greeting } = await new Promise<Message>((resolve, reject) => {
    let greet: typeof take | undefined = resolve
    const line = (bytes: Uint8Array) => {
      const message = JSON.parse(Buffer.from(bytes).toString('utf8')) as Message
      const next = greet ?? take
      greet = undefined
      next(message)
    }
    duplex.start({
      data: bytes => requests.holding(() => lines.push(bytes, line)),
      end: () => {
        requests.failAll(new LinkError('ECONNRESET', 'QEMU has ended'))
        reject(reasonOfEnd())
      },
    })
  })
  const enable = greeting?.capabilities.filter(name => name === 'oob')
  await requests.ask({ execute: 'qmp_capabilities', arguments: { enable } })
  return {
    events,
    execute: (execute, args) => requests.ask({ execute, arguments: args }),
    executeOutOfBand: (command, args) => requests.ask({ 'exec-oob': command, arguments: args }, undefined, true),
  }
}

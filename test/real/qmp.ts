import type { Duplex } from 'node:stream'

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
  /** What happened since the connection was made, oldest first. */
  readonly events: readonly QmpEvent[]
}

interface Message extends Partial<QmpEvent> {
  QMP?: object
  return?: unknown
  error?: { class: string; desc: string }
}

/** Speaks QMP; resolves when QEMU takes commands. Every promise is rejected with `reasonOfEnd()` when the stream ends. */
export async function openQmp(stream: Duplex, reasonOfEnd: () => Error): Promise<Qmp> {
  const waiting: { resolve: (message: Message) => void; reject: (reason: Error) => void }[] = []
  const events: QmpEvent[] = []
  let ended = false
  const next = () =>
    new Promise<Message>((resolve, reject) => {
      if (ended) reject(reasonOfEnd())
      else waiting.push({ resolve, reject })
    })

  const greeting = next()
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      const message = JSON.parse(line) as Message
      if (message.event === undefined) waiting.shift()!.resolve(message)
      else events.push({ event: message.event, data: message.data })
    }
  })
  stream.on('error', () => {})
  stream.on('close', () => {
    ended = true
    for (const { reject } of waiting.splice(0)) reject(reasonOfEnd())
  })

  const execute = async <Result>(command: string, args?: object): Promise<Result> => {
    const answer = next()
    if (!ended) stream.write(`${JSON.stringify({ execute: command, arguments: args })}\n`)
    const { error, return: result } = await answer
    if (error) throw new QmpError(error.class, error.desc)
    return result as Result
  }
  await greeting
  await execute('qmp_capabilities')
  return { execute, events }
}

import { shown } from '../check-argument.js'
import { fieldsOf } from './reply.js'

/** What QEMU says first. */
export interface Greeting {
  kind: 'greeting'
  version: QemuVersion
  capabilities: readonly string[]
}

/** Which QEMU it is: `7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)`. */
export interface QemuVersion {
  major: number
  minor: number
  micro: number
  /** What a distribution adds; empty where it adds nothing. */
  package: string
}

/** Something that QEMU reports unasked. */
export interface QmpEvent {
  /** Such as BLOCK_JOB_READY. */
  name: string
  data: Readonly<Record<string, unknown>>
  /** When, by the host's clock, in milliseconds since 1970; undefined where QEMU's clock failed. */
  time: number | undefined
}

export type Message = Greeting | { kind: 'event'; event: QmpEvent } | Answer

/** `id` is undefined where it has none of our kind. */
export type Answer =
  | { kind: 'return'; id: number | undefined; value: unknown }
  | { kind: 'error'; id: number | undefined; errorClass: string; description: string }

/** A line that is not QMP. */
export class NotQmp extends Error {}

/** Reads one line. @throws NotQmp */
export function readMessage(line: string): Message {
  let message: unknown
  try {
    message = JSON.parse(line)
  } catch {
    throw new NotQmp(`not JSON: ${shown(line)}`)
  }
  const fields = fieldsOf(message)
  if (fields === undefined) throw new NotQmp(`not an object: ${shown(line)}`)
  const { QMP, id, error, return: value } = fields
  if ('QMP' in fields) return greeting(QMP)
  if ('event' in fields) return { kind: 'event', event: event(fields) }
  if ('error' in fields) {
    const { class: errorClass, desc } = fieldsOf(error) ?? {}
    return {
      kind: 'error',
      id: typeof id === 'number' ? id : undefined,
      errorClass: typeof errorClass === 'string' ? errorClass : 'GenericError',
      description: typeof desc === 'string' ? desc : 'without a reason',
    }
  }
  if (!('return' in fields)) throw new NotQmp(`no answer to a command: ${shown(line)}`)
  return { kind: 'return', id: typeof id === 'number' ? id : undefined, value }
}

function greeting(value: unknown): Greeting {
  const { version, capabilities } = fieldsOf(value) ?? {}
  const { qemu, package: name } = fieldsOf(version) ?? {}
  const { major, minor, micro } = fieldsOf(qemu) ?? {}
  const number = (part: unknown) => (typeof part === 'number' ? part : 0)
  return {
    kind: 'greeting',
    version: {
      major: number(major),
      minor: number(minor),
      micro: number(micro),
      package: typeof name === 'string' ? name : '',
    },
    capabilities: Array.isArray(capabilities) ? capabilities.filter(name => typeof name === 'string') : [],
  }
}

function event({ event: name, data, timestamp }: Record<string, unknown>): QmpEvent {
  if (typeof name !== 'string') throw new NotQmp('an event without a name')
  const { seconds, microseconds } = fieldsOf(timestamp) ?? {}
  const isTime = typeof seconds === 'number' && typeof microseconds === 'number' && seconds >= 0
  return { name, data: fieldsOf(data) ?? {}, time: isTime ? seconds * 1000 + microseconds / 1000 : undefined }
}

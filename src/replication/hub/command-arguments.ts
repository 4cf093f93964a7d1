import { Buffer } from 'node:buffer'
import { ReplicationError } from '../replication-error.js'
import { checkName, shown } from './names.js'
import type { At } from './resolve-point.js'

/** The arguments of a command, as somebody sent them: anything. */
export class CommandArguments {
  readonly #execute: string
  readonly #given: Readonly<Record<string, unknown>>

  constructor(execute: string, given: unknown) {
    this.#execute = execute
    if (typeof given !== 'object' || given === null || Array.isArray(given))
      throw this.#wrong('its arguments are no object')
    this.#given = given as Record<string, unknown>
  }

  /** @throws ReplicationError bad-name */
  name(member: string): string {
    const value = this.#get(member)
    checkName(member, value)
    return value
  }

  optionalName(member: string): string | undefined {
    return this.#get(member) === undefined ? undefined : this.name(member)
  }

  /** @throws ReplicationError wrong-state */
  number(member: string, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.#get(member)
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most) return value
    throw this.#wrong(`${member} is ${shown(value)}, and not a number from 0 to ${most}`)
  }

  optionalNumber(member: string, most?: number): number | undefined {
    return this.#get(member) === undefined ? undefined : this.number(member, most)
  }

  /** Whether it is true; anything else than a boolean is wrong. @throws ReplicationError wrong-state */
  flag(member: string): boolean {
    const value = this.#get(member) ?? false
    if (typeof value === 'boolean') return value
    throw this.#wrong(`${member} is ${shown(value)}, and neither true nor false`)
  }

  /** A moment: without one, the newest. */
  at(): At {
    const value = this.#get('at')
    if (value === undefined) return { newest: true }
    const { newest, time, name, position } = Object(value)
    if (newest === true) return { newest }
    if (Number.isSafeInteger(time) && time >= 0) return { time }
    if (Number.isSafeInteger(position) && position >= 0) return { position }
    checkName('checkpoint', name)
    return { name }
  }

  text(member: string): string {
    const value = this.#get(member)
    if (typeof value === 'string' && value.length <= 256) return value
    throw this.#wrong(`${member} is ${shown(value)}, and no text of at most 256 characters`)
  }

  /** Bytes in base64, so many at most. @throws ReplicationError wrong-state */
  bytes(member: string, most: number): Uint8Array {
    const value = this.#get(member)
    const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined
    if (bytes !== undefined && bytes.length <= most && bytes.toString('base64') === value) return bytes
    throw this.#wrong(`${member} is no base64 of at most ${most} bytes`)
  }

  /** Any object; what it has is the one's who gets it. */
  object(member: string): Readonly<Record<string, unknown>> {
    const value = this.#get(member) ?? {}
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
    throw this.#wrong(`${member} is ${shown(value)}, and no object`)
  }

  #get(member: string): unknown {
    return Object.hasOwn(this.#given, member) ? this.#given[member] : undefined
  }

  #wrong(why: string): ReplicationError {
    return new ReplicationError('wrong-state', `"${this.#execute}" cannot be done: ${why}`)
  }
}

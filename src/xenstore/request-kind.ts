import { Buffer } from 'node:buffer'
import { encodeText } from '../byte-text.js'
import { type PathProblem, pathProblem } from './check-path.js'
import { type Operation, operations } from './operation.js'
import { allocatePacket, headerSize, payloadMax } from './packet.js'
import { requestError } from './request-error.js'
import { XenstoreError } from './xenstore-error.js'

/** A part of a request's payload: text, which a NUL ends, or bytes as they are. */
export type Field = string | Uint8Array

/** One request of the protocol: how it goes out, and what comes back. */
export interface RequestKind<Parameters extends readonly unknown[], Reply> {
  readonly operation: Operation
  /** The node it is about. */
  path?(...parameters: Parameters): string
  /** What is wrong with that path, if it is not what is wrong with any. */
  problem?(path: unknown): PathProblem | undefined
  /** The payload. @throws XenstoreError for what cannot be sent */
  fields(...parameters: Parameters): readonly Field[]
  /** @throws Malformed where that is no answer to this request */
  decode(payload: Buffer): Reply
}

/** A request ready to be sent, but for its number. */
export interface Call<Reply> {
  readonly operation: Operation
  readonly path: string | undefined
  readonly packet: Buffer
  decode(payload: Buffer): Reply
  /** Takes the answer to a request that was given up before it came: what the daemon did may have to be undone. */
  late?(reply: Reply): void
  /** The same for an error of the daemon's that came late. */
  lateError?(): void
  /** It was given up before it was sent. */
  unsent?(): void
  /** Says what the daemon's error means where that depends on what happened meanwhile. */
  explain?(code: string): XenstoreError | undefined
}

/** @throws XenstoreError where it cannot be sent */
export function prepare<Parameters extends readonly unknown[], Reply>(
  kind: RequestKind<Parameters, Reply>,
  transactionId: number,
  parameters: Parameters,
): Call<Reply> {
  const { operation } = kind
  const path = kind.path?.(...parameters)
  if (kind.path !== undefined) {
    const problem = (kind.problem ?? pathProblem)(path)
    if (problem !== undefined) throw requestError(operation, path, problem.code, problem.message)
  }
  try {
    const packet = encode(operation, transactionId, kind.fields(...parameters))
    return { operation, path, packet, decode: kind.decode }
  } catch (error) {
    if (error instanceof XenstoreError) throw requestError(operation, path, error.code, error.message)
    throw error
  }
}

function encode(operation: Operation, transactionId: number, fields: readonly Field[]): Buffer {
  let length = 0
  for (const field of fields) length += lengthOf(field)
  if (length > payloadMax) {
    throw new XenstoreError('E2BIG', `${length} bytes with the path: a packet has at most ${payloadMax}`)
  }
  const packet = allocatePacket(operations[operation], 0, transactionId, length)
  let at = headerSize
  for (const field of fields) {
    if (typeof field === 'string') {
      at += field.isWellFormed() ? packet.write(field, at) : encodeText(field).copy(packet, at)
      packet[at++] = 0
    } else {
      packet.set(field, at)
      at += field.length
    }
  }
  return packet
}

function lengthOf(field: Field): number {
  if (typeof field === 'string') {
    if (field.includes('\0'))
      throw new XenstoreError('EINVAL', `${JSON.stringify(field.slice(0, 100))} has a NUL in it`)
    return 1 + (field.isWellFormed() ? Buffer.byteLength(field) : encodeText(field).length)
  }
  if (field instanceof Uint8Array) return field.length
  throw new XenstoreError('EINVAL', `a parameter is text, not ${field === null ? 'null' : typeof field}`)
}

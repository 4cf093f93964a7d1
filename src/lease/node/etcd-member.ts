import { Buffer } from 'node:buffer'
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { deadline, type Over } from '../../link/deadline.js'
import type { Limits } from '../../link/limits.js'
import { LineDecoder } from '../../link/line-decoder.js'
import { noteArrival } from '../../link/look-once-more.js'
import { type MutualTls, mutualTlsOptions } from '../../link/node/mutual-tls.js'
import { printable } from '../../printable.js'
import { readReply, readStreamed } from '../etcd/gateway-reply.js'
import { LeaseError } from '../lease-error.js'
import { type EtcdEndpoint, shownEndpoint } from './etcd-endpoint.js'

/** How long a reply may be, and a line of a stream, in bytes: a page of records, as base64. */
const replyAtMost = 8 * 1024 * 1024

/** One member of a cluster: requests over connections that are kept. It is no `fetch`, which shows no certificate of the client's. */
export class EtcdMember {
  readonly endpoint: EtcdEndpoint
  readonly #agent: HttpAgent

  constructor(endpoint: EtcdEndpoint, tls: MutualTls | undefined) {
    this.endpoint = endpoint
    this.#agent =
      tls === undefined
        ? new HttpAgent({ keepAlive: true })
        : new HttpsAgent({ keepAlive: true, ...mutualTlsOptions(tls) })
  }

  /** @throws LeaseError unreachable, protocol, canceled; EtcdRefusal */
  ask(path: string, body: object, limits: Limits): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let request: ClientRequest | undefined
      const limit = deadline(limits, over => {
        reject(this.#overError(over))
        request?.destroy()
      })
      const settle = (how: () => void) => {
        limit[Symbol.dispose]()
        how()
      }
      if (limits.signal?.aborted) return
      request = this.#send(path, body)
      request.on('error', error => settle(() => reject(this.#lostError(error))))
      request.once('response', response => {
        wholeText(response).then(
          text => settle(() => resolveWith(() => readReply(response.statusCode ?? 0, text), resolve, reject)),
          error => settle(() => reject(error instanceof LeaseError ? error : this.#lostError(error))),
        )
      })
    })
  }

  /** What a stream says, until it ends. The member has to say something within the time limit; later it may be silent. @throws as `ask` */
  async *stream(path: string, body: object, { signal, timeout }: Limits): AsyncGenerator<unknown, undefined> {
    const gone = new AbortController()
    let why: LeaseError | undefined
    let request: ClientRequest | undefined
    const end = (over: Over) => {
      why ??= this.#overError(over)
      gone.abort()
      request?.destroy()
    }
    using _life = deadline({ signal }, end)
    const first = deadline({ timeout }, end)
    try {
      if (why !== undefined) throw why
      request = this.#send(path, body, { 'Grpc-Metadata-hasleader': 'true' })
      const response = await responseTo(request)
      if (response.statusCode !== 200) {
        readReply(response.statusCode ?? 0, await wholeText(response))
        throw new LeaseError('protocol', 'a watch is answered with what is none')
      }
      const lines = new LineDecoder(replyAtMost)
      for await (const bytes of response) {
        noteArrival()
        first[Symbol.dispose]()
        const said: Uint8Array[] = []
        pushLines(lines, bytes, said)
        for (const line of said) yield readStreamed(Buffer.from(line).toString())
      }
    } catch (error) {
      throw why ?? (error instanceof LeaseError ? error : this.#lostError(error as Error))
    } finally {
      first[Symbol.dispose]()
      request?.on('error', () => {})
      request?.destroy()
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #send(path: string, body: object, headers: Readonly<Record<string, string>> = {}): ClientRequest {
    const { isSecure, host, port } = this.endpoint
    const text = Buffer.from(JSON.stringify(body))
    const all = { 'Content-Type': 'application/json', 'Content-Length': text.length, ...headers }
    const options = { host, port, method: 'POST', path: `/v3/${path}`, agent: this.#agent, headers: all }
    const request = isSecure ? httpsRequest(options) : httpRequest(options)
    request.end(text)
    return request
  }

  #overError({ code, why, cause }: Over): LeaseError {
    if (code === 'ECANCELED') return new LeaseError('canceled', why, { cause })
    return new LeaseError('unreachable', `${shownEndpoint(this.endpoint)}: ${why}`)
  }

  #lostError(error: Error): LeaseError {
    const message = printable(`${shownEndpoint(this.endpoint)}: ${error.message}`)
    return new LeaseError('unreachable', message, { cause: error })
  }
}

function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', reject)
    request.once('close', () => reject(new Error('the connection ended')))
  })
}

/** All of a reply. @throws LeaseError protocol where it is too long; the system's error */
async function wholeText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    noteArrival()
    length += chunk.length
    // the loop's end destroys the connection
    if (length > replyAtMost) throw new LeaseError('protocol', `a reply of more than ${replyAtMost} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function pushLines(lines: LineDecoder, bytes: Uint8Array, into: Uint8Array[]): void {
  try {
    lines.push(bytes, line => into.push(line))
  } catch (error) {
    throw new LeaseError('protocol', (error as Error).message, { cause: error })
  }
}

function resolveWith(read: () => unknown, resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
  try {
    resolve(read())
  } catch (error) {
    reject(error)
  }
}

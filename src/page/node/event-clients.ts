import type { ServerResponse } from 'node:http'
import { eventText, streamHead } from '../event-text.js'
import { safeHeaders } from './respond.js'

/** How long one who does not read may stay, in milliseconds. */
const silentAtMost = 30_000
/** How long a browser waits before it connects again, in milliseconds. */
const retry = 2000

export interface EventClientsOptions {
  /** How many there may be. */
  most: number
  /** How often each hears how all is, in milliseconds. */
  every: number
  /** What is shown to who looks at that group; undefined where that cannot be said now. */
  view(group: string | undefined): object | undefined
}

interface Client {
  response: ServerResponse
  group: string | undefined
  /** Since when it has not read what it has. */
  fullSince: number | undefined
  /** Whether it may still see the page. */
  mayStay: () => boolean
}

/** Those who follow a page. Each has one view on its way at most: one that reads too slowly gets the newest when it can. */
export class EventClients {
  readonly #options: EventClientsOptions
  readonly #clients = new Set<Client>()
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(options: EventClientsOptions) {
    this.#options = options
  }

  get isFull(): boolean {
    return this.#clients.size >= this.#options.most
  }

  /** @param hello what it is told at first */
  add(
    response: ServerResponse,
    { group, hello, mayStay }: Pick<Client, 'group' | 'mayStay'> & { hello: object },
  ): void {
    const client: Client = { response, group, fullSince: undefined, mayStay }
    this.#clients.add(client)
    this.#timer ??= setInterval(() => this.#tell([...this.#clients]), this.#options.every)
    response.once('close', () => {
      this.#clients.delete(client)
      if (this.#clients.size === 0) this.#stop()
    })
    response.on('drain', () => {
      client.fullSince = undefined
    })
    response.writeHead(200, { ...safeHeaders, 'Content-Type': 'text/event-stream' })
    response.write(streamHead(retry) + eventText('hello', { ...hello, every: this.#options.every }))
    this.#tell([client])
  }

  close(): void {
    this.#stop()
    for (const { response } of this.#clients) response.destroy()
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tell(clients: readonly Client[]): void {
    const texts = new Map<string | undefined, string>()
    const now = performance.now()
    for (const client of clients) {
      const { response, group, fullSince, mayStay } = client
      if (!mayStay() || (fullSince !== undefined && now - fullSince > silentAtMost)) response.destroy()
      else if (fullSince === undefined) {
        const text = texts.get(group) ?? this.#textOf(group)
        texts.set(group, text)
        if (!response.write(text)) client.fullSince = now
      }
    }
  }

  /** One that cannot be told how all is hears that the page is there. */
  #textOf(group: string | undefined): string {
    const view = this.#options.view(group)
    return view === undefined ? ': nothing can be said now\n\n' : eventText('view', view)
  }
}

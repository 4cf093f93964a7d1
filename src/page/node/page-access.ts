import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** How many sessions there are: of more, the oldest ends. */
const sessionsAtMost = 64
/** How long one lasts, in milliseconds. */
const sessionLasts = 12 * 3_600_000
/** How many wrong tries in a row one address has, and how long it takes for one more, in milliseconds. */
const triesAtMost = 10
const tryEvery = 6000
/** How many addresses' tries are counted. */
const addressesAtMost = 1024

/** Who asks: by the token itself, or by a session, whose `guard` has to come with what changes something. */
export type Visitor = { by: 'token' } | { by: 'session'; guard: string }

interface Session {
  guard: string
  until: number
}

/** Who may see a page: who has its token, or a session that was begun with it. Times are in milliseconds, of a clock that only goes on. */
export class PageAccess {
  readonly cookie: string
  readonly #token: Buffer
  readonly #now: () => number
  readonly #sessions = new Map<string, Session>()
  readonly #tries = new Map<string, { left: number; at: number }>()

  /** @param options.cookie the cookie's name: browsers do not tell a machine's ports apart */
  constructor({ token, cookie, now }: { token: string; cookie: string; now: () => number }) {
    this.cookie = cookie
    this.#token = digest(token)
    this.#now = now
  }

  /** Who it is that sends these, from that address; undefined for nobody, `limited` where there were too many wrong tries. */
  visitor({ authorization, cookie }: IncomingHttpHeaders, address: string): Visitor | 'limited' | undefined {
    if (authorization !== undefined) {
      const [, token = ''] = /^Bearer ([\x21-\x7e]{1,1024})$/i.exec(authorization) ?? []
      const isRight = this.isRight(token, address)
      return isRight === true ? { by: 'token' } : isRight === 'limited' ? 'limited' : undefined
    }
    const id = cookieOf(cookie, this.cookie)
    const session = id === undefined ? undefined : this.#sessions.get(key(id))
    if (session === undefined || session.until < this.#now()) return undefined
    return { by: 'session', guard: session.guard }
  }

  /** Compares a token, in a time that tells nothing of it. Wrong tries are counted by the address. */
  isRight(token: string, address: string): boolean | 'limited' {
    const now = this.#now()
    const { left, at } = this.#tries.get(address) ?? { left: triesAtMost, at: now }
    const tries = Math.min(triesAtMost, left + (now - at) / tryEvery)
    if (tries < 1) return 'limited'
    if (timingSafeEqual(digest(token), this.#token)) return true
    this.#tries.delete(address)
    this.#tries.set(address, { left: tries - 1, at: now })
    const [oldest] = this.#tries.keys()
    if (this.#tries.size > addressesAtMost) this.#tries.delete(oldest!)
    return false
  }

  /** Begins a session. @returns the cookie's value */
  begin(): string {
    const id = randomBytes(32).toString('base64url')
    this.#sessions.set(key(id), { guard: randomBytes(32).toString('base64url'), until: this.#now() + sessionLasts })
    const [oldest] = this.#sessions.keys()
    if (this.#sessions.size > sessionsAtMost) this.#sessions.delete(oldest!)
    return id
  }

  /** Ends the session of these headers. */
  end({ cookie }: IncomingHttpHeaders): void {
    const id = cookieOf(cookie, this.cookie)
    if (id !== undefined) this.#sessions.delete(key(id))
  }
}

/** Whether a change comes from the page itself: what another site sends has no guard. */
export function isGuarded(visitor: Visitor, headers: IncomingHttpHeaders): boolean {
  const { 'x-xenlight-guard': guard, 'sec-fetch-site': site } = headers
  if (visitor.by === 'token') return true
  if (site !== undefined && site !== 'same-origin') return false
  return typeof guard === 'string' && timingSafeEqual(digest(guard), digest(visitor.guard))
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** A lookup by the digest tells nothing of the id by its time. */
const key = (id: string): string => digest(id).toString('base64')

function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const [its, value = ''] = part.trim().split('=', 2)
    if (its === name && value.length <= 128) return value
  }
  return undefined
}

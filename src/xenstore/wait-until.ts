import { checkFunction, checkLimits } from '../check-argument.js'
import type { Over } from '../link/deadline.js'
import { limit } from './limit.js'
import { requestError } from './request-error.js'
import type { WaitOptions, Xenstore } from './xenstore.js'
import type { XenstoreError } from './xenstore-error.js'

/** How long the last look may take after the time is up, in milliseconds. */
const lastLook = 500

/** Watches a node, and reads it at every event and once more when the time is up, until its value is the one waited for. */
export async function waitUntil(
  store: Xenstore,
  path: string,
  predicate: (value: string | undefined) => boolean,
  options: WaitOptions = {},
  /** The values waited for, for the error that says that none came. */
  wanted?: string,
): Promise<string | undefined> {
  checkFunction('predicate', predicate)
  checkLimits(options)
  const controller = new AbortController()
  const { signal } = controller
  let seen: Seen
  let over: Over | undefined
  const bound = limit(options, why => {
    over = why
    controller.abort(why)
  })
  try {
    for await (const _ of store.watch(path, { signal, capacity: 1 })) {
      seen = { value: await store.readIfPresent(path, { signal }) }
      if (predicate(seen.value)) return seen.value
    }
    throw requestError('WATCH', path, 'EBADF', 'the watch was taken away')
  } catch (error) {
    if (over === undefined) throw error
  } finally {
    bound[Symbol.dispose]()
  }
  if (over.byTimer) {
    seen = (await lookOnce(store, path, options.signal)) ?? seen
    if (seen !== undefined && predicate(seen.value)) return seen.value
  }
  throw notSeen(path, over, seen, wanted)
}

/** The value that was read last. */
type Seen = { value: string | undefined } | undefined

async function lookOnce(store: Xenstore, path: string, signal: AbortSignal | undefined): Promise<Seen> {
  const options = { timeout: lastLook, signal: signal?.aborted ? undefined : signal }
  try {
    return { value: await store.readIfPresent(path, options) }
  } catch {
    // the error is that the time is up
    return undefined
  }
}

function notSeen(path: string, { code, why, cause }: Over, seen: Seen, wanted: string | undefined): XenstoreError {
  const value = seen?.value === undefined ? 'no such node' : `its value was ${quoted(seen.value)}`
  const state = seen === undefined ? 'it was not read yet' : value
  return requestError('WATCH', path, code, `${why}: ${state}${wanted === undefined ? '' : `, not ${wanted}`}`, cause)
}

export const quoted = (value: string): string => JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value)

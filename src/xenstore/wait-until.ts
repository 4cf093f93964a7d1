import { checkFunction } from '../check-argument.js'
import { checkRequest } from './check-request.js'
import { limit } from './limit.js'
import { requestError } from './request-error.js'
import type { WaitOptions, Xenstore } from './xenstore.js'

/** Watches a node, and reads it at every event, until its value is what it is waited for. */
export async function waitUntil(
  store: Xenstore,
  path: string,
  predicate: (value: string | undefined) => boolean,
  options: WaitOptions = {},
  /** What is waited for, for the error that says it did not come. */
  wanted?: string,
): Promise<string | undefined> {
  checkFunction('predicate', predicate)
  checkRequest(options)
  const controller = new AbortController()
  const { signal } = controller
  let last: string | undefined
  let known = false
  const stop = limit(options, ({ code, why, cause }) => {
    const state = !known ? 'it was not read yet' : last === undefined ? 'no such node' : `its value was ${quoted(last)}`
    controller.abort(
      requestError('WATCH', path, code, `${why}: ${state}${wanted === undefined ? '' : `, not ${wanted}`}`, cause),
    )
  })
  try {
    for await (const _ of store.watch(path, { signal, depth: 0, capacity: 1 })) {
      last = await store.readIfPresent(path, { signal })
      known = true
      if (predicate(last)) return last
    }
    throw requestError('WATCH', path, 'EBADF', 'the watch was taken away')
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    stop()
  }
}

export const quoted = (value: string): string => JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value)

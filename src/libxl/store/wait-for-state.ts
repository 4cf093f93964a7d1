import type { WaitOptions, Xenstore } from '../../xenstore/xenstore.js'
import { codeOf } from '../system-error.js'
import { stateOf } from './backend-state.js'

/**
 * Waits until a state is as wanted or its node is gone (`libxl__ev_devstate_wait`).
 *
 * @returns the state that it came to be, or why there is none
 */
export async function waitForState(
  store: Xenstore,
  path: string,
  isWanted: (state: number) => boolean,
  options: WaitOptions,
): Promise<number | 'gone' | 'timeout'> {
  const isOver = (text: string | undefined) => {
    const state = stateOf(text)
    return state === undefined || isWanted(state)
  }
  const text = await inTime(store.waitUntil(path, isOver, options))
  return text === 'timeout' ? text : (stateOf(text) ?? 'gone')
}

/** Waits until a node is gone; false where it still is there when the time is over. */
export async function waitUntilGone(store: Xenstore, path: string, options: WaitOptions): Promise<boolean> {
  return (await inTime(store.waitUntil(path, value => value === undefined, options))) !== 'timeout'
}

/**
 * Looks at a directory whenever something in it changes, until there is something to find.
 *
 * @returns what was found, undefined when the time is over
 */
export async function watchFor<Found>(
  store: Xenstore,
  path: string,
  look: () => Promise<Found | undefined>,
  { timeout, signal }: { timeout: number; signal?: AbortSignal | undefined },
): Promise<Found | undefined> {
  const watch = store.watch(path, { depth: 1, capacity: 1, signal })
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<{ done: true }>(resolve => {
    timer = setTimeout(() => resolve({ done: true }), timeout)
  })
  try {
    while (!(await Promise.race([watch.next(), over])).done) {
      const found = await look()
      if (found !== undefined) return found
    }
    return undefined
  } finally {
    clearTimeout(timer)
    watch[Symbol.dispose]()
  }
}

async function inTime<Value>(waiting: Promise<Value>): Promise<Value | 'timeout'> {
  try {
    return await waiting
  } catch (error) {
    if (codeOf(error) === 'ETIMEDOUT') return 'timeout'
    throw error
  }
}

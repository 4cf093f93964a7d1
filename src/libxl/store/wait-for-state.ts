import { beforeDeadline } from '../../link/before-deadline.js'
import { deadline } from '../../link/deadline.js'
import type { WaitOptions, Xenstore } from '../../xenstore/xenstore.js'
import { codeOf } from '../system-error.js'
import { stateOf } from './backend-state.js'

/** How long the last look may take after the time is up, in milliseconds. */
const lastLook = 500

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
 * Looks at a directory whenever something in it changes, and once more when the time is up, until there is something to
 * find.
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
  const bound = deadline({ timeout }, () => watch[Symbol.dispose]())
  try {
    for await (const _ of watch) {
      const found = await look()
      if (found !== undefined) return found
    }
  } finally {
    bound[Symbol.dispose]()
  }
  const nothing = new Error('the time is up')
  try {
    return await beforeDeadline(look(), { timeout: lastLook }, () => nothing)
  } catch (error) {
    if (error === nothing) return undefined
    throw error
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

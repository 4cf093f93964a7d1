import { setTimeout as delay } from 'node:timers/promises'
import type { Xenstore, XenstoreNodes } from '../../xenstore/xenstore.js'
import { codeOf } from '../system-error.js'
import { contradictionPause, isContradiction, mostContradictions } from './contradiction.js'
import { unlessMissing } from './unless-missing.js'

export interface RemovalOptions {
  /** Directories that a guest may write to; they may have to be removed outside of a transaction. */
  paths: readonly string[]
  /** Whether they may still be removed; asked right before that. */
  mayRemove: () => Promise<boolean>
  signal: AbortSignal | undefined
}

/**
 * Runs a transaction that removes nodes. Where a guest keeps writing to `paths` every attempt fails, and libxl tries
 * without end: here these paths are then removed one by one, and with them the place to write.
 */
export async function removalTransaction<Value>(
  store: Xenstore,
  body: (nodes: XenstoreNodes) => Promise<Value>,
  { paths, mayRemove, signal }: RemovalOptions,
): Promise<Value> {
  const attempt = () => withoutContradictions(store, body, signal)
  try {
    return await attempt()
  } catch (error) {
    if (codeOf(error) !== 'EAGAIN') throw error
  }
  if (await mayRemove()) await Promise.all(paths.map(path => store.rm(path, { signal }).catch(unlessMissing)))
  return attempt()
}

async function withoutContradictions<Value>(
  store: Xenstore,
  body: (nodes: XenstoreNodes) => Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  for (let attempt = 1; ; attempt++) {
    try {
      // devices have the directories above them in common: each transaction would disturb the next
      return (await store.transaction(body, { signal, inTurn: true })).value
    } catch (error) {
      if (!isContradiction(error) || attempt >= mostContradictions) throw error
    }
    await delay(contradictionPause(attempt), undefined, { signal })
  }
}

import type { Xenstore, XenstoreNodes } from '../../xenstore/xenstore.js'
import { codeOf } from '../system-error.js'
import { unlessMissing } from './unless-missing.js'

/**
 * Runs a transaction that removes `paths`, which a guest may write to, among other things. One that keeps writing there makes
 * every attempt fail, and libxl try for ever: here the paths then go by themselves, and with them the place to write.
 */
export async function removalTransaction<Value>(
  store: Xenstore,
  paths: readonly string[],
  body: (nodes: XenstoreNodes) => Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  // devices have the directories above them in common: each transaction would disturb the next
  const options = { signal, inTurn: true }
  try {
    return (await store.transaction(body, options)).value
  } catch (error) {
    if (codeOf(error) !== 'EAGAIN') throw error
  }
  await Promise.all(paths.map(path => store.rm(path, { signal }).catch(unlessMissing)))
  return (await store.transaction(body, options)).value
}

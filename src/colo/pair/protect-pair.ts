import { checkPairOptions } from '../arguments/check-pair-options.js'
import { ColoPair } from './pair.js'
import type { PairOptions } from './pair-options.js'

/**
 * Protects the disks of a pair: makes the secondary's equal while the primary's guest runs, and then sends its writes to both. Both are
 * watched from then on. What was begun before, by a process that is gone too, is gone on with.
 *
 * @throws ColoError, QmpError, after which the primary goes on alone
 */
export async function protectPair(options: PairOptions): Promise<ColoPair> {
  checkPairOptions(options)
  const pair = new ColoPair(options)
  try {
    await pair.protect()
  } catch (error) {
    await pair[Symbol.asyncDispose]()
    throw error
  }
  return pair
}

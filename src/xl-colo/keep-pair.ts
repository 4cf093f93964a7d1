import { setTimeout as delay } from 'node:timers/promises'
import { ColoError } from '../colo/colo-error.js'
import type { ConnectedSide } from '../colo/node/connect-side.js'
import type { ColoPair } from '../colo/pair/pair.js'
import type { PairOptions } from '../colo/pair/pair-options.js'
import { protectPair } from '../colo/pair/protect-pair.js'
import { QmpError } from '../qmp/qmp-error.js'
import { Refusal } from './refusal.js'

export interface KeepOptions {
  /** Between two checkpoints, in milliseconds. */
  every: number
  signal: AbortSignal
  /** Connects to the secondary again, once its QEMU is another one. */
  reconnect: () => Promise<ConnectedSide>
  onRetry: (why: string, after: number) => void
}

/**
 * Keeps disks protected until the signal is aborted. A secondary whose connection broke is looked for again; without the primary there
 * is nothing to keep.
 *
 * @throws Refusal where the primary's QEMU is gone; ColoError for what does not go away by itself
 */
export async function keepPair(first: ColoPair, options: PairOptions, keep: KeepOptions): Promise<ColoPair> {
  const { every, signal } = keep
  let pair = first
  let { secondary } = options
  for (;;) {
    const broken = new AbortController()
    void brokenBy(options.primary, secondary, signal).then(() => broken.abort())
    await pair.keep({ every, signal: AbortSignal.any([signal, broken.signal]) })
    if (signal.aborted) return pair
    await pair[Symbol.asyncDispose]()
    const gone = await closedNow(options.primary)
    if (gone)
      throw new Refusal(
        'failed',
        "the primary's QEMU is gone: if it is dead, have the secondary take over (xl-colo failover)",
      )
    const again = await protectAgain(options, keep)
    if (again === undefined) return pair
    ;({ pair, secondary } = again)
  }
}

type Sides = Pick<PairOptions, 'primary' | 'secondary'>

/** Resolves some time after a connection broke: the pair has seen it by then, and let the primary go on alone. */
async function brokenBy(primary: Sides['primary'], secondary: Sides['secondary'], signal: AbortSignal): Promise<void> {
  await Promise.race([primary.qmp.closed, secondary.qmp.closed])
  await delay(goOnTime, undefined, { signal }).catch(() => {})
}

const goOnTime = 1500

/** Whether a connection is over. */
const closedNow = ({ qmp }: Sides['primary']): Promise<boolean> =>
  Promise.race([qmp.closed.then(() => true), delay(0, false)])

async function protectAgain(
  options: PairOptions,
  { signal, reconnect, onRetry }: KeepOptions,
): Promise<{ pair: ColoPair; secondary: ConnectedSide } | undefined> {
  for (let after = firstRetry; !signal.aborted; after = Math.min(after * 2, longestRetry)) {
    let secondary: ConnectedSide | undefined
    try {
      secondary = await reconnect()
      return { pair: await protectPair({ ...options, secondary }), secondary }
    } catch (error) {
      await secondary?.[Symbol.asyncDispose]()
      if (signal.aborted) return undefined
      if (!isPassing(error)) throw error
      onRetry((error as Error).message, after)
      await delay(after, undefined, { signal }).catch(() => {})
    }
  }
  return undefined
}

const firstRetry = 500
const longestRetry = 60_000

const isPassing = (error: unknown): boolean =>
  error instanceof QmpError || (error instanceof ColoError && ['degraded', 'not-proved', 'record'].includes(error.code))

import type { Buffer } from 'node:buffer'
import { checkArray, checkLimits, checkMethods, checkOptions, checkText, shown } from '../check-argument.js'
import { FifoLock } from '../link/fifo-lock.js'
import { Connection } from './connection.js'
import type { Duplex } from './duplex.js'
import { Nodes } from './nodes.js'
import { prepare, type RequestKind } from './request-kind.js'
import { control } from './requests/control.js'
import { getDomainPath, introduce, isIntroduced, release, resume, setTarget } from './requests/domain.js'
import { getFeature, setFeature } from './requests/feature.js'
import { getQuota, listQuotas, setQuota } from './requests/quota.js'
import { resetWatches } from './requests/watch.js'
import { runTransaction, type TransactionContext } from './run-transaction.js'
import { quoted, waitUntil } from './wait-until.js'
import { WatchRegistry } from './watch-registry.js'
import type {
  Introduction,
  RequestOptions,
  TransactionOptions,
  TransactionResult,
  WaitOptions,
  Watch,
  WatchOptions,
  Xenstore,
  XenstoreStatistics,
  XenstoreTransaction,
} from './xenstore.js'
import { XenstoreError } from './xenstore-error.js'

export interface ClientOptions {
  /** How many requests may be unanswered at a time; more wait for a place. 256 by default. */
  maxInFlight?: number | undefined
  /** How long each request may take that has no `timeout` of its own, in milliseconds. Without it, for ever. */
  timeout?: number | undefined
}

/** Speaks the protocol with whatever is at the other end of `duplex`. */
export function openXenstore(duplex: Duplex, options: ClientOptions = {}): Xenstore {
  checkMethods('duplex', duplex, ['start', 'write', 'close'], 'a duplex')
  checkOptions(options)
  const { maxInFlight = 256, timeout } = options
  if (typeof maxInFlight !== 'number' || !(maxInFlight >= 1))
    throw new XenstoreError('EINVAL', `at least 1 request in flight, not ${shown(maxInFlight)}`)
  if (timeout !== undefined && (typeof timeout !== 'number' || !(timeout >= 0))) {
    throw new XenstoreError('EINVAL', `a timeout is a number of milliseconds, not ${shown(timeout)}`)
  }
  return new Client(duplex, maxInFlight, timeout)
}

class Client extends Nodes implements Xenstore {
  readonly #connection: Connection
  readonly #watches: WatchRegistry
  readonly #transactions: TransactionContext

  constructor(duplex: Duplex, maxInFlight: number, timeout: number | undefined) {
    super()
    this.#connection = new Connection(
      duplex,
      { maxInFlight, timeout },
      {
        watchEvent: (path, token) => this.#watches.event(path, token),
        over: error => this.#forget()(error),
      },
    )
    this.#watches = new WatchRegistry(this.#connection)
    this.#transactions = { connection: this.#connection, open: new Set(), turns: new FifoLock() }
    this.#connection.start()
  }

  get closed(): Promise<XenstoreError | undefined> {
    return this.#connection.closed
  }

  get statistics(): XenstoreStatistics {
    const { open } = this.#transactions
    return { ...this.#connection.statistics, watches: this.#watches.size, transactions: open.size }
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  transaction<Value>(
    body: (transaction: XenstoreTransaction) => Promise<Value> | Value,
    options?: TransactionOptions,
  ): Promise<TransactionResult<Value>> {
    return runTransaction(this.#transactions, body, options)
  }

  watch(path: string, options: WatchOptions = {}): Watch {
    checkLimits(options)
    return this.#watches.watch(path, options)
  }

  async waitUntilExists(path: string, options?: WaitOptions): Promise<string> {
    return this.waitUntil(path, (value): value is string => value !== undefined, options)
  }

  async waitForValue(path: string, values: string | readonly string[], options?: WaitOptions): Promise<string> {
    const wanted = typeof values === 'string' ? [values] : values
    checkArray('values', wanted, 'strings')
    for (const [index, value] of wanted.entries()) checkText(`values[${index}]`, value)
    const isWanted = (value: string | undefined) => value !== undefined && wanted.includes(value)
    const value = await waitUntil(this, path, isWanted, options, wanted.map(quoted).join(' or '))
    return value as string
  }

  waitUntil<Value extends string | undefined>(
    path: string,
    predicate: (value: string | undefined) => boolean,
    options?: WaitOptions,
  ): Promise<Value> {
    return waitUntil(this, path, predicate, options) as Promise<Value>
  }

  getDomainPath(domid: number, options?: RequestOptions): Promise<string> {
    return this.perform(getDomainPath, [domid], options)
  }

  introduce(introduction: Introduction, options?: RequestOptions): Promise<void> {
    return this.perform(introduce, [introduction], options)
  }

  release(domid: number, options?: RequestOptions): Promise<void> {
    return this.perform(release, [domid], options)
  }

  resume(domid: number, options?: RequestOptions): Promise<void> {
    return this.perform(resume, [domid], options)
  }

  setTarget(domid: number, targetDomid: number, options?: RequestOptions): Promise<void> {
    return this.perform(setTarget, [domid, targetDomid], options)
  }

  isIntroduced(domid: number, options?: RequestOptions): Promise<boolean> {
    return this.perform(isIntroduced, [domid], options)
  }

  resetWatches(options?: RequestOptions): Promise<void> {
    const forget = this.#forget()
    const kind = {
      ...resetWatches,
      // before any answer behind it, and also when nobody waits for this one any more
      decode: (payload: Buffer) => {
        resetWatches.decode(payload)
        forget(new XenstoreError('EBADF', 'resetWatches took it off the daemon'))
      },
    }
    return this.perform(kind, [], options)
  }

  control(command: string, parameters: readonly string[] = [], options?: RequestOptions): Promise<string> {
    return this.perform(control, [command, parameters], options)
  }

  getFeature(domid?: number, options?: RequestOptions): Promise<number> {
    return this.perform(getFeature, [domid], options)
  }

  setFeature(domid: number, features: number, options?: RequestOptions): Promise<void> {
    return this.perform(setFeature, [domid, features], options)
  }

  listQuotas(options?: RequestOptions): Promise<string[]> {
    return this.perform(listQuotas, [], options)
  }

  getQuota(name: string, domid?: number, options?: RequestOptions): Promise<number> {
    return this.perform(getQuota, [name, domid], options)
  }

  setQuota(name: string, value: number, domid?: number, options?: RequestOptions): Promise<void> {
    return this.perform(setQuota, [name, value, domid], options)
  }

  protected override perform<Parameters extends readonly unknown[], Reply>(
    kind: RequestKind<Parameters, Reply>,
    parameters: Parameters,
    options: RequestOptions | undefined,
  ): Promise<Reply> {
    try {
      checkLimits(options)
      return this.#connection.request(prepare(kind, 0, parameters), options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Ends the watches that there are now, and the transactions that there are then, as the daemon has them no more. */
  #forget(): (error: XenstoreError) => void {
    const endWatches = this.#watches.snapshot()
    const { open } = this.#transactions
    return error => {
      endWatches(error)
      const { code, message } = error
      for (const transaction of open) {
        open.delete(transaction)
        transaction.lose(new XenstoreError(code, `transaction: ${code} (${message})`, { cause: error }))
      }
    }
  }
}

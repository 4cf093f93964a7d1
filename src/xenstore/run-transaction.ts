import type { Buffer } from 'node:buffer'
import { checkFlag, checkFunction, checkLimits, shown } from '../check-argument.js'
import { beforeDeadline } from '../link/before-deadline.js'
import type { FifoLock } from '../link/fifo-lock.js'
import { onAbort } from '../link/on-abort.js'
import { CommitUnknownError } from './commit-unknown-error.js'
import type { Connection } from './connection.js'
import { limit } from './limit.js'
import { requestError } from './request-error.js'
import { prepare } from './request-kind.js'
import { transactionEnd, transactionStart } from './requests/transaction.js'
import { Transaction } from './transaction.js'
import type { TransactionOptions, TransactionResult, XenstoreTransaction } from './xenstore.js'
import { XenstoreError } from './xenstore-error.js'

type Body<Value> = (transaction: XenstoreTransaction) => Promise<Value> | Value

/** What the transactions of a connection have in common. */
export interface TransactionContext {
  connection: Connection
  /** Those begun and not ended. */
  open: Set<Transaction>
  turns: FifoLock
}

/** What ends all attempts together: the caller's signal and timeout. */
interface Bounds {
  signal: AbortSignal | undefined
}

/** Attempts until one is committed. */
export async function runTransaction<Value>(
  context: TransactionContext,
  body: Body<Value>,
  options: TransactionOptions = {},
): Promise<TransactionResult<Value>> {
  checkFunction('body', body)
  checkLimits(options)
  const { attempts = 20, signal, timeout, inTurn = false } = options
  checkFlag('inTurn', inTurn)
  if (typeof attempts !== 'number' || !(attempts >= 1))
    throw new XenstoreError('EINVAL', `a transaction is attempted once at least, not ${shown(attempts)}`)
  const controller = signal === undefined && timeout === undefined ? undefined : new AbortController()
  const bounds = { signal: controller?.signal }
  const bound = limit({ signal, timeout }, ({ code, why, cause }) => {
    controller?.abort(new XenstoreError(code, `transaction: ${code} (${why})`, { cause }))
  })
  try {
    for (let attempt = 1; ; attempt++) {
      const pass = inTurn ? await turn(context.turns, bounds) : () => {}
      const committed = await runOnce(context, body, bounds, pass).finally(pass)
      if (committed !== undefined) return { value: committed.value, attempts: attempt }
      if (attempt >= attempts) {
        throw requestError('TRANSACTION_END', undefined, 'EAGAIN', `others changed the same nodes, ${attempt} times`)
      }
      await pause(attempt, bounds)
    }
  } catch (error) {
    throw controller?.signal.aborted && isOwn(error, controller.signal) ? controller.signal.reason : error
  } finally {
    bound[Symbol.dispose]()
  }
}

/** One attempt; undefined where others changed the same nodes meanwhile. */
async function runOnce<Value>(
  context: TransactionContext,
  body: Body<Value>,
  bounds: Bounds,
  pass: () => void,
): Promise<{ value: Value } | undefined> {
  const { connection, open } = context
  const transaction = await start(context, bounds)
  // what happened to the signal since its number came was before anybody listened
  if (bounds.signal?.aborted) transaction.lose(bounds.signal.reason)
  const unlisten = bounds.signal && onAbort(bounds.signal, () => transaction.lose(bounds.signal?.reason))
  let value: Value
  try {
    value = await transaction.run(body)
  } catch (error) {
    // those that the daemon has forgotten are not among the open ones any more
    if (open.has(transaction)) giveUp(connection, transaction.id)
    throw error
  } finally {
    transaction.finish()
    open.delete(transaction)
    unlisten?.()
  }
  const ended = commit(connection, transaction.id, bounds)
  pass()
  return (await ended) ? { value } : undefined
}

/** Whether it was; not where others changed the same nodes meanwhile. */
async function commit(connection: Connection, id: number, bounds: Bounds): Promise<boolean> {
  const call = prepare(transactionEnd, id, [true])
  let sent = true
  call.unsent = () => {
    sent = false
    giveUp(connection, id)
  }
  let committed: boolean | undefined
  call.late = () => {
    committed = true
  }
  call.lateError = () => {
    committed = false
  }
  try {
    await connection.request(call, bounds)
    return true
  } catch (error) {
    if (error instanceof XenstoreError && error.code === 'EAGAIN') return false
    if (!sent || !(error instanceof XenstoreError) || !isUnanswered(error)) throw error
    const reason = bounds.signal?.reason
    const known = reason instanceof XenstoreError ? reason : error
    throw new CommitUnknownError(known, () => committed)
  }
}

/** The request may have reached the daemon, and no answer did. */
const isUnanswered = ({ code }: XenstoreError): boolean => unanswered.has(code)
const unanswered = new Set(['ETIMEDOUT', 'ECANCELED', 'ECONNRESET', 'EPIPE', 'EPROTO', 'EBADF'])

/** Ends a transaction that changes nothing. However long that takes, it has to be done. */
function giveUp(connection: Connection, id: number): void {
  const call = prepare(transactionEnd, id, [false])
  connection.request(call, { timeout: Number.POSITIVE_INFINITY }).catch(() => {})
}

/** It is among the open ones from its number on: what follows in the same bytes may be its end. */
async function start({ connection, open }: TransactionContext, bounds: Bounds): Promise<Transaction> {
  const call = prepare(transactionStart, 0, [])
  const decode = (payload: Buffer) => {
    const transaction = new Transaction(connection, call.decode(payload))
    open.add(transaction)
    return transaction
  }
  const late = (transaction: Transaction) => {
    open.delete(transaction)
    giveUp(connection, transaction.id)
  }
  return connection.request({ ...call, decode, late }, bounds)
}

/** Waits for its turn; one that is given up meanwhile still passes it on. */
async function turn(turns: FifoLock, { signal }: Bounds): Promise<() => void> {
  const taken = turns.take()
  try {
    await beforeDeadline(taken, { signal }, () => signal?.reason)
  } catch (error) {
    taken.then(pass => pass())
    throw error
  }
  return taken
}

/** A random while, the longer the more often others were first; none to speak of before the second attempt. */
function pause(attempt: number, { signal }: Bounds): Promise<void> {
  const longest = Math.min(2 ** (attempt - 1), 100)
  let timer: ReturnType<typeof setTimeout> | undefined
  const paused = new Promise<void>(resolve => {
    timer = setTimeout(resolve, Math.random() * longest)
  })
  return beforeDeadline(paused, { signal }, () => signal?.reason).finally(() => clearTimeout(timer))
}

/** Whether an error says no more than that the transaction was given up. */
const isOwn = (error: unknown, signal: AbortSignal): boolean =>
  error === signal.reason || (error instanceof XenstoreError && error.cause === signal.reason)

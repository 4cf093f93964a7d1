import type { Permission } from './permissions.js'
import type { XenstoreError } from './xenstore-error.js'

/** How long to wait for a request's answer. A late answer is dropped; whether the daemon carried the request out is unknown. */
export interface RequestOptions {
  signal?: AbortSignal | undefined
  /** In milliseconds; without it as long as the connection lasts (see `ConnectOptions.timeout`). */
  timeout?: number | undefined
}

/**
 * What can be done with nodes, in a transaction or outside of one. Every method fails with a `XenstoreError`. Values are
 * bytes; as text they are UTF-8, and a byte that is not part of valid UTF-8 stands as the lone surrogate U+DC00 + byte, so
 * that any value survives reading and writing.
 *
 * A path that does not start with "/" is relative to /local/domain/DOMID of a guest's own domain.
 */
export interface XenstoreNodes {
  /** The value of a node. @throws XenstoreError ENOENT, EACCES */
  read(path: string, options?: RequestOptions): Promise<string>
  /** The value of a node as it is. */
  readBytes(path: string, options?: RequestOptions): Promise<Uint8Array>
  /** The value of a node, undefined where there is no such node. */
  readIfPresent(path: string, options?: RequestOptions): Promise<string | undefined>
  /** Stores a value; makes the node, and empty ones above it, where they are missing. */
  write(path: string, value: string | Uint8Array, options?: RequestOptions): Promise<void>
  /** Makes sure that a node exists; one that does is left as it is. */
  mkdir(path: string, options?: RequestOptions): Promise<void>
  /** Removes a node and all below it. No error where the node is missing, ENOENT where its parent is missing too. */
  rm(path: string, options?: RequestOptions): Promise<void>
  /** The names of a node's children. Of a node with many, in parts, begun anew when it changes meanwhile. */
  directory(path: string, options?: RequestOptions): Promise<string[]>
  getPermissions(path: string, options?: RequestOptions): Promise<Permission[]>
  /** The first permission is the owner's; see `Permission`. */
  setPermissions(path: string, permissions: readonly Permission[], options?: RequestOptions): Promise<void>
}

/**
 * The nodes as they are for a transaction: each as it was when first looked at, with the transaction's own changes, which
 * nobody else sees before it commits. Where others have changed one of these by then, nothing is committed.
 */
export interface XenstoreTransaction extends XenstoreNodes {
  /** Aborted when the transaction is over for another reason than its body's end. */
  readonly signal: AbortSignal
}

/** `signal` and `timeout` are for all attempts together. */
export interface TransactionOptions extends RequestOptions {
  /** How often to try in all where others change the same nodes meanwhile (EAGAIN). 20 by default. */
  attempts?: number | undefined
  /**
   * Begins it right behind the end of those that were called with this before it on the same connection, so that they do not
   * disturb each other: for many at once that touch the same nodes. One that waits for another inside its body waits for
   * ever; a body that takes its time holds up those behind it.
   */
  inTurn?: boolean | undefined
}

export interface TransactionResult<Value> {
  /** What the body returned in the attempt that was committed. */
  value: Value
  /** How often the body ran. */
  attempts: number
}

/** A change below a watched path, or the first event, which every watch gets at once. */
export interface WatchEvent {
  /** The node that changed; relative where the watched path is. */
  path: string
  /** More changed than the buffer could hold: anything at or below the watched path, which `path` is. */
  overflowed: boolean
}

export interface WatchOptions {
  signal?: AbortSignal | undefined
  /** How far below the path: 0 the node alone, 1 its children too … Without it, everything below. */
  depth?: number | undefined
  /** How many events are kept for a slow reader, one for each path. 1,024 by default. */
  capacity?: number | undefined
  /**
   * What happens when that is too little: 'merge' (default) puts one event with `overflowed` in the place of all, 'fail' ends
   * the watch with EOVERFLOW. Events say where to look and not what happened, so two for one path are always merged.
   */
  overflow?: 'merge' | 'fail' | undefined
}

/**
 * A watch: `for await (const event of watch)`. Leaving the loop, an error, the abort of its signal and disposing it all
 * take it off the daemon. It ends with the connection's error when the connection is lost.
 */
export interface Watch extends AsyncIterableIterator<WatchEvent, undefined, undefined>, AsyncDisposable, Disposable {
  /** Settled when the daemon has taken the watch, or refused it. */
  readonly ready: Promise<void>
  next(): Promise<IteratorResult<WatchEvent, undefined>>
  return(): Promise<IteratorResult<WatchEvent, undefined>>
  [Symbol.asyncIterator](): Watch
}

export interface WaitOptions {
  signal?: AbortSignal | undefined
  /** In milliseconds; without it, for ever. */
  timeout?: number | undefined
}

/** What a connection has done so far. */
export interface XenstoreStatistics {
  /** Requests sent. */
  requests: number
  /** Requests sent that are not answered yet, and those that wait for a place. */
  inFlight: number
  queued: number
  /** Answers that came after their request's time-out or abort. */
  late: number
  /** Watches set, and transactions begun and not ended. */
  watches: number
  transactions: number
}

/** Which domain a daemon is to talk to (`introduce`). */
export interface Introduction {
  domid: number
  /** The guest's frame with the ring. */
  gfn: number
  eventChannel: number
}

/** A xenstore: of a daemon (`connect`) or embedded (`memoryStore`). */
export interface Xenstore extends XenstoreNodes, AsyncDisposable {
  /**
   * Runs `body` in a transaction and commits it; where others changed what it saw, runs it again in a new one. When
   * `body` throws, nothing is changed and the error is passed on. Await every request, alone or with `Promise.all`: those still
   * under way when `body` ends are waited for, but the failure of an earlier one that nobody awaited is not the body's.
   *
   * @throws XenstoreError EAGAIN after the last attempt
   */
  transaction<Value>(
    body: (transaction: XenstoreTransaction) => Promise<Value> | Value,
    options?: TransactionOptions,
  ): Promise<TransactionResult<Value>>

  /**
   * Watches a path and what is below it, or "@introduceDomain" and "@releaseDomain".
   *
   * @throws XenstoreError EINVAL, ENAMETOOLONG at once, where nobody can watch that
   */
  watch(path: string, options?: WatchOptions): Watch
  /** Waits until a node exists; its value. @throws XenstoreError ETIMEDOUT */
  waitUntilExists(path: string, options?: WaitOptions): Promise<string>
  /** Waits until a node has one of some values; that value. */
  waitForValue(path: string, values: string | readonly string[], options?: WaitOptions): Promise<string>
  /** Waits until `predicate` is true of a node's value, which is undefined while there is no such node. */
  waitUntil<Value extends string | undefined>(
    path: string,
    predicate: (value: string | undefined) => value is Value,
    options?: WaitOptions,
  ): Promise<Value>
  waitUntil(
    path: string,
    predicate: (value: string | undefined) => boolean,
    options?: WaitOptions,
  ): Promise<string | undefined>

  /** /local/domain/DOMID. */
  getDomainPath(domid: number, options?: RequestOptions): Promise<string>
  introduce(introduction: Introduction, options?: RequestOptions): Promise<void>
  release(domid: number, options?: RequestOptions): Promise<void>
  resume(domid: number, options?: RequestOptions): Promise<void>
  /** Gives a domain the rights of another (a device model's domain those of its guest). */
  setTarget(domid: number, targetDomid: number, options?: RequestOptions): Promise<void>
  isIntroduced(domid: number, options?: RequestOptions): Promise<boolean>
  /** Takes every watch and transaction of this connection off the daemon; they end here with EBADF. */
  resetWatches(options?: RequestOptions): Promise<void>
  /** A command to the daemon itself, such as `control('quota')`; what it answers. */
  control(command: string, parameters?: readonly string[], options?: RequestOptions): Promise<string>
  /** The feature bits of the daemon, or those set for a domain. @throws XenstoreError ENOSYS where the daemon is too old */
  getFeature(domid?: number, options?: RequestOptions): Promise<number>
  setFeature(domid: number, features: number, options?: RequestOptions): Promise<void>
  /** The names of the quotas that the daemon knows. */
  listQuotas(options?: RequestOptions): Promise<string[]>
  /** A quota of a domain, or the default one (domid undefined). 0: no limit. */
  getQuota(name: string, domid?: number, options?: RequestOptions): Promise<number>
  setQuota(name: string, value: number, domid?: number, options?: RequestOptions): Promise<void>

  readonly statistics: XenstoreStatistics
  /** Resolves when the connection is over: with its error, or with undefined after `close()`. */
  readonly closed: Promise<XenstoreError | undefined>
  /** Ends the connection; whatever is pending fails with EBADF. */
  close(): Promise<void>
}

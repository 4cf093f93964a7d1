export { type ClientOptions, openXenstore } from './client.js'
export { CommitUnknownError } from './commit-unknown-error.js'
export type { Duplex, DuplexReader } from './duplex.js'
export * from './memory/index.js'
export { type ConnectOptions, connect } from './node/connect.js'
export type { Operation } from './operation.js'
export { type Access, formatPermissions, type Permission, parsePermissions } from './permissions.js'
export type {
  Introduction,
  RequestOptions,
  TransactionOptions,
  TransactionResult,
  WaitOptions,
  Watch,
  WatchEvent,
  WatchOptions,
  Xenstore,
  XenstoreNodes,
  XenstoreStatistics,
  XenstoreTransaction,
} from './xenstore.js'
export {
  type WireErrorCode,
  XenstoreError,
  type XenstoreErrorCode,
  type XenstoreErrorDetails,
} from './xenstore-error.js'

import type { TakeOver } from './group-record.js'

/** How often a group was taken over since the hub was started. */
export type TakeOverCounts = Record<TakeOver['kind'], number>

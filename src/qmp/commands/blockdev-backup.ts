import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'

/** A type, no interface: arguments are a record for the compiler. */
export type BackupArguments = {
  'job-id': string
  /** The node that is copied, which has the bitmap. */
  device: string
  /** The node that it is copied to, which must exist. */
  target: string
  /** Of the filter that QEMU puts above the node while the job runs; it names it by itself otherwise. */
  'filter-node-name'?: string
  /** Whether it ends by itself, which is so by default; otherwise when `job-finalize` says so, as `runJob` does. */
  'auto-finalize'?: boolean
  sync: 'full' | 'bitmap' | 'none'
  bitmap?: string
  /** Whether what was copied is taken out of the bitmap: when all went well, never, always. */
  'bitmap-mode'?: 'on-success' | 'never' | 'always'
  /** Bytes a second. */
  speed?: number
  'on-target-error'?: 'report' | 'ignore' | 'stop'
  /** How many requests are under way to the target at a time, and how long each is at most, in bytes. Since QEMU 6.0. */
  'x-perf'?: { 'max-workers'?: number; 'max-chunk'?: number }
}

/** Copies a node as it is at this moment to another. */
export const blockdevBackup = {
  name: 'blockdev-backup',
  takes: takes<BackupArguments>(),
  reply: nothing,
} satisfies QmpCommand

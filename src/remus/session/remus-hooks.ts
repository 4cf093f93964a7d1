import type { StepOptions } from '../../checkpoint/checkpoint-kind.js'

/** What the caller does with the guest. Each step gets a signal, aborted when the session is; not that of `resume`. */
export interface RemusHooks {
  suspend(options: StepOptions): Promise<void>
  /** Copies the memory that changed, for `sendCheckpoint`. */
  copyMemory?(options: StepOptions): Promise<void>
  resume(options: StepOptions): Promise<void>
  /** Writes the checkpoint to the stream. */
  sendCheckpoint?(options: StepOptions): Promise<void>
}

/** The steps of an epoch in libxl's order. */
export type RemusStep = 'suspend' | 'postsuspend' | 'copyMemory' | 'preresume' | 'resume' | 'sendCheckpoint' | 'commit'

/** An epoch that is committed. Times in milliseconds. */
export interface RemusEpoch {
  /** From 1. */
  epoch: number
  /** From before `suspend` to after `resume`. */
  pauseTime: number
  /** What `preresume` and `commit` took of all disks: the waiting for the other side. */
  ackTime: number
}

/** How protection ended. */
export interface RemusEnd {
  reason: 'stopped' | 'failed'
  /** The last epoch of which every disk has its ack; 0 for none. The other side goes on from here. */
  committed: number
  /** `unknown` where `suspend` failed and so did the `resume` after it. */
  guest: 'running' | 'suspended' | 'unknown'
  /** What failed, in which epoch. */
  failure?: { step: RemusStep; epoch: number; error: Error } | undefined
  /** That the guest could not be resumed after a failure. */
  resumeError?: Error | undefined
  /** That disks were left as they are. */
  teardownError?: Error | undefined
}

import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'

/** Copies a node to another, and then every write of the guest's. */
export const blockdevMirror = {
  name: 'blockdev-mirror',
  takes: takes<{
    'job-id': string
    /** The node that is copied. */
    device: string
    /** The node that it is copied to, which must exist. */
    target: string
    sync: 'full' | 'top' | 'none'
    /** Bytes a second. */
    speed?: number
    'auto-dismiss'?: boolean
    'on-source-error'?: 'report' | 'ignore' | 'stop'
    'on-target-error'?: 'report' | 'ignore' | 'stop'
    /** Whether a write of the guest's waits until it is in the target too. */
    'copy-mode'?: 'background' | 'write-blocking'
  }>(),
  reply: nothing,
} satisfies QmpCommand

/** Ends a job: a mirror that is ready then has all in its target. `force` gives up at once. */
export const blockJobCancel = {
  name: 'block-job-cancel',
  takes: takes<{ device: string; force?: boolean }>(),
  reply: nothing,
} satisfies QmpCommand

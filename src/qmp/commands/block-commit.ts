import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'

/** Writes what a node and those below it hold into the base; the job is ready when all is there, and `jobComplete` ends it. */
export const blockCommit = {
  name: 'block-commit',
  takes: takes<{
    'job-id': string
    /** The topmost node: nothing may stand on it. */
    device: string
    'base-node': string
    speed?: number
  }>(),
  reply: nothing,
} satisfies QmpCommand

/** Ends a job that is ready. */
export const jobComplete = {
  name: 'job-complete',
  takes: takes<{ id: string }>(),
  reply: nothing,
} satisfies QmpCommand

import { type QmpCommand, takes } from '../command.js'
import { list, number, object, optionalText, text } from '../reply.js'

/** A background job, such as a mirror. */
export interface Job {
  id: string
  /** Such as mirror, backup, commit. */
  type: string
  /** created, running, paused, ready, standby, waiting, pending, aborting, concluded or null. */
  status: string
  /** How far it is, in the job's own unit (bytes, for those of disks), which may grow with `total` as the guest writes. */
  current: number
  total: number
  /** Why it failed, once it is concluded. */
  error: string | undefined
}

/** The jobs that there are; not those that QEMU keeps to itself. */
export const queryJobs = {
  name: 'query-jobs',
  takes: takes(),
  reply: value =>
    list(value, 'the jobs', (element): Job => {
      const job = object(element, 'a job')
      return {
        id: text(job, 'id'),
        type: text(job, 'type'),
        status: text(job, 'status'),
        current: number(job, 'current-progress'),
        total: number(job, 'total-progress'),
        error: optionalText(job, 'error'),
      }
    }),
} satisfies QmpCommand

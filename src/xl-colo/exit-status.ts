import type { DiskState } from '../colo/disk-state.js'

/** Each exit status of the command, and what it says. A program may rely on them. */
export const exitStatuses = {
  done: [0, 'Done. Of status: all disks are protected.'],
  failed: [1, 'Something failed: a QEMU was not reached, or did not do what it should.'],
  wrongUsage: [2, 'Wrong usage.'],
  refused: [3, 'Refused, and nothing was changed.'],
  syncing: [10, 'status: a disk is being copied.'],
  degraded: [11, 'status: a disk gets no more checkpoints; it holds the last one.'],
  unprotected: [12, 'status: a disk is written on one side only.'],
  outdated: [13, 'status: a disk holds a checkpoint, but the primary went on without it.'],
  failedOver: [14, 'status: the secondary took over, or is taking over.'],
  unknown: [15, 'status: nobody knows what a disk is.'],
  inconsistent: [16, 'status: a disk is half a copy, or a take-over was interrupted.'],
  fenced: [17, "status: a disk's epoch is over, or both guests run: split brain."],
  notPromotable: [20, 'failover: a disk is not to be taken over, or not without --force.'],
  oldEpoch: [21, 'start, reprotect, failover: --epoch is over; take a greater one.'],
  primaryRuns: [22, "failover: the primary's guest was seen running, and there is no --force."],
  internalError: [70, 'A defect of the command itself.'],
  interrupted: [130, 'Interrupted before it was done; 143 where SIGTERM did it, 129 for SIGHUP.'],
  brokenPipe: [141, 'The reader of standard output has gone, as if by SIGPIPE.'],
} as const satisfies Record<string, readonly [status: number, meaning: string]>

export const exitStatus = (name: keyof typeof exitStatuses): number => exitStatuses[name][0]

const ofState: Record<DiskState['kind'], keyof typeof exitStatuses> = {
  protected: 'done',
  syncing: 'syncing',
  degraded: 'degraded',
  unprotected: 'unprotected',
  outdated: 'outdated',
  'failing-over': 'failedOver',
  'failed-over': 'failedOver',
  unknown: 'unknown',
  inconsistent: 'inconsistent',
  fenced: 'fenced',
}

/** The worst disk decides: the highest number. */
export function statusOf(states: readonly DiskState['kind'][], splitBrain: boolean): number {
  const worst = Math.max(0, ...states.map(kind => exitStatus(ofState[kind])))
  return splitBrain ? exitStatus('fenced') : worst
}

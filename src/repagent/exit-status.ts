/** Each exit status of the command, and what it says. A program may rely on them. */
export const exitStatuses = {
  done: [0, 'Done. Of status: all volumes are protected, and the recovery point is as near as it is to be.'],
  failed: [1, 'Something failed: the agent was not reached, or could not do it.'],
  refused: [2, 'Refused, and nothing was changed.'],
  behind: [10, 'status: protected, but the recovery point is further back than its target.'],
  syncing: [11, 'status: a volume is being compared or copied.'],
  paused: [12, 'status: the protection of a group is paused.'],
  degraded: [13, 'status: the hub does not get what is written; the agent notes what it lacks.'],
  unprotected: [14, 'status: a group is not protected.'],
  volumeFailed: [15, 'status: a volume failed, and needs help.'],
  fenced: [16, 'status: another side has taken a group over: what is written here does not count.'],
  wrongUsage: [64, 'Wrong usage, or a configuration that cannot be used.'],
  internalError: [70, 'A defect of the command itself.'],
  interrupted: [130, 'Interrupted before it was done; 143 where SIGTERM did it, 129 for SIGHUP.'],
  brokenPipe: [
    141,
    'The reader of standard output has gone, as if by SIGPIPE. Not of serve and protect, which serve on.',
  ],
} as const satisfies Record<string, readonly [status: number, meaning: string]>

export const exitStatus = (name: keyof typeof exitStatuses): number => exitStatuses[name][0]

/** Each exit status of the command, and what it says. A program may rely on them. */
export const exitStatuses = {
  done: [0, 'Done. Of status: all groups are protected.'],
  failed: [1, 'Something failed: the hub was not reached, or could not do it.'],
  refused: [2, 'Refused, and nothing was changed.'],
  syncing: [10, 'status: a replica is being made equal to its disks.'],
  disconnected: [11, 'status: no agent sends a group; its newest moment gets older.'],
  empty: [12, 'status: a group has never been sent.'],
  failedOver: [13, 'status: a group is failed over, or on its way there or back.'],
  full: [14, 'status: the hub takes no data of a group: its disk, or a limit, is full.'],
  groupFailed: [15, "status: a group's files fail, or cannot be opened."],
  takenOver: [16, 'Another hub has taken over, or the lease is lost: this one does nothing any more.'],
  standingBy: [17, 'status: this hub stands by: another one has the lease, or nobody can have it.'],
  wrongUsage: [64, 'Wrong usage, or a configuration that cannot be used.'],
  internalError: [70, 'A defect of the command itself.'],
  interrupted: [130, 'Interrupted before it was done; 143 where SIGTERM did it, 129 for SIGHUP.'],
  brokenPipe: [141, 'The reader of standard output has gone, as if by SIGPIPE. Not of serve, which serves on.'],
} as const satisfies Record<string, readonly [status: number, meaning: string]>

export const exitStatus = (name: keyof typeof exitStatuses): number => exitStatuses[name][0]

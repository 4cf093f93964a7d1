/** Each exit status of the command, and what it says. A program may rely on them. Those of probe, 0 to 4, are block-drbd-probe's. */
export const exitStatuses = {
  done: [0, 'Done. Of status: both nodes hold the same, or a checkpoint of it. Of probe: ready.'],
  notDrbd: [1, 'probe: not a DRBD device.'],
  unknown: [2, 'probe: not known, as a tool of DRBD did not answer.'],
  notProtocolD: [3, 'probe: the resource does not use protocol D.'],
  notReady: [4, 'probe: not connected, or not Primary beside a Secondary.'],
  failed: [5, 'Something failed: the node was not reached, or could not do it.'],
  refused: [6, 'The node refuses, and nothing was changed.'],
  alone: [10, 'status: the peer is not connected; the data here counts.'],
  syncing: [11, 'status: one node is being brought up to date.'],
  undecided: [12, 'status: the nodes differ, and the one that is promoted first is copied to the other.'],
  splitBrain: [13, 'status: the nodes do not fit together, and an administrator has to decide.'],
  notPromotable: [14, 'status: the data here is new, half a copy, or old.'],
  nodeFailed: [15, 'status: a file of the node failed; it does nothing any more.'],
  fenced: [16, 'status: a later promotion was made elsewhere; no guest gets the disk here.'],
  wrongUsage: [64, 'Wrong usage.'],
  internalError: [70, 'A defect of the command itself.'],
  interrupted: [130, 'Interrupted before it was done; 143 where SIGTERM did it, 129 for SIGHUP.'],
  brokenPipe: [141, 'The reader of standard output has gone, as if by SIGPIPE. Not of serve, which serves on.'],
} as const satisfies Record<string, readonly [status: number, meaning: string]>

export const exitStatus = (name: keyof typeof exitStatuses): number => exitStatuses[name][0]

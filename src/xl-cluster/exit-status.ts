/** Each exit status of the command, and what it says; `ocf` ends with those of OCF. */
export const exitStatuses = {
  done: [0, 'Done. Of arbiter: yes.'],
  failed: [1, 'Something failed. Of arbiter: no, or it is not known.'],
  wrongUsage: [64, 'Wrong usage.'],
  internalError: [70, 'A defect of the command itself.'],
  brokenPipe: [141, 'The reader of standard output has gone, as if by SIGPIPE.'],
} as const satisfies Record<string, readonly [status: number, meaning: string]>

export const exitStatus = (name: keyof typeof exitStatuses): number => exitStatuses[name][0]

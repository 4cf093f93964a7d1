import { checkWord } from '../check-argument.js'

/** The Xen releases whose strings we know; 4.17's are master's too. */
export const dialects = ['4.17', 'master', '4.7'] as const

/**
 * The Xen release whose strings are wanted. `4.17`, which is `master` too, is for Xen 4.16 and newer. `4.7` is for the
 * first releases with COLO disks, 4.7.0 to 4.7.5 and 4.8.0 to 4.8.3, and for a QEMU of that time: today's makes no SCSI
 * controller for it, and wants a top-id. Those between have strings of their own, which nobody here writes.
 */
export type Dialect = (typeof dialects)[number]

export function checkDialect(dialect: unknown): void {
  if (dialect !== undefined) checkWord('dialect', dialect, dialects)
}

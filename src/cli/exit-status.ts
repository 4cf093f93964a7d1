export const done = 0
/** Something was refused, as xl says it too, or could not be read or written. */
export const refused = 1
export const wrongUsage = 2
/** A defect of the command itself (EX_SOFTWARE of sysexits.h). */
export const internalError = 70
/** The reader of standard output has gone: what a shell shows for a command that died of SIGPIPE. */
export const brokenPipe = 141

/** What fits into a sockaddr_un, in bytes; of a longer path the system would take the beginning. */
export const socketPathMax = 107

/** Where the daemon listens, as libxenstore has it: $XENSTORED_PATH, $XENSTORED_RUNDIR/socket, /run/xenstored/socket. */
export const socketPath = ({ XENSTORED_PATH, XENSTORED_RUNDIR }: NodeJS.ProcessEnv): string =>
  XENSTORED_PATH || `${XENSTORED_RUNDIR || '/run/xenstored'}/socket`

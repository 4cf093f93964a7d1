/** Where the daemon listens, as libxenstore has it: $XENSTORED_PATH, $XENSTORED_RUNDIR/socket, /run/xenstored/socket. */
export const socketPath = ({ XENSTORED_PATH, XENSTORED_RUNDIR }: NodeJS.ProcessEnv): string =>
  XENSTORED_PATH || `${XENSTORED_RUNDIR || '/run/xenstored'}/socket`

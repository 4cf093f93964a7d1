import { LeaseError } from './lease-error.js'

/** The error of a caller who gave up. */
export const canceled = ({ reason }: AbortSignal): LeaseError =>
  new LeaseError('canceled', 'its signal was aborted', { cause: reason })

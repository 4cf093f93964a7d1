import { codeOf } from '../system-error.js'

/** For a removal: what is not there need not go. Any other error is thrown on. */
export function unlessMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error
}

import { LibxlError } from '../libxl-error.js'

/** Does something that takes a while; when it fails after the signal was aborted, that is the reason (ERROR_ABORTED). */
export async function abortable<Value>(
  signal: AbortSignal | undefined,
  what: string,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    if (!signal?.aborted) throw error
    throw new LibxlError('aborted', `${what} was aborted`, { cause: signal.reason })
  }
}

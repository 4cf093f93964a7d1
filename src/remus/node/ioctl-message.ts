/** What the process for the ioctls says: that it is ready or cannot be, then an answer to each request. */
export type IoctlMessage =
  | { kind: 'ready' }
  /** `why` is empty where the package is not there. */
  | { kind: 'no-koffi'; why: string }
  | { kind: 'result'; result: number }
  | { kind: 'error'; error: string }

/** Reads one; undefined for whatever else another process writes. */
export function readIoctlMessage(given: unknown): IoctlMessage | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  const { kind, why, result, error } = given as Record<string, unknown>
  if (kind === 'ready') return { kind }
  if (kind === 'no-koffi' && typeof why === 'string') return { kind, why }
  if (kind === 'result' && Number.isInteger(result) && (result as number) >= 0)
    return { kind, result: result as number }
  if (kind === 'error' && typeof error === 'string' && /^(?:E[A-Z0-9]+|error [0-9]+)$/.test(error))
    return { kind, error }
  return undefined
}

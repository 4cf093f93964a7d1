/** A line that a client sends: what it asks, under a number. */
export interface Request {
  id: number
  execute: string
  arguments: Readonly<Record<string, unknown>>
}

/** A line that answers it. */
export type Reply = { id: number; return: unknown } | { id: number; error: { code: string; message: string } }

/** The longest line of a request, in bytes. */
export const requestAtMost = 64 * 1024

/** Reads a request; undefined where it is none. What it asks is not looked at. */
export function readRequest(line: string): Request | undefined {
  const value = parse(line)
  if (value === undefined) return undefined
  const { id, execute, arguments: given = {} } = value
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || typeof execute !== 'string') return undefined
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined
  return { id, execute, arguments: given as Record<string, unknown> }
}

/** Reads a reply; undefined where it is none. */
export function readReply(line: string): Reply | undefined {
  const value = parse(line)
  if (value === undefined) return undefined
  const { id, return: result, error } = value
  if (typeof id !== 'number') return undefined
  if (error === undefined) return { id, return: result }
  const { code, message } = (error ?? {}) as Record<string, unknown>
  return typeof code === 'string' && typeof message === 'string' ? { id, error: { code, message } } : undefined
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

import { printable } from '../../printable.js'
import type { ProbeResult } from './probe-result.js'

/** The answer where a tool ran, and refused: what it said of that. */
export const refused = (command: string, status: number | undefined, stderr: string, hint: string): ProbeResult => ({
  outcome: 'unknown',
  why: `${command} ended with ${status ?? 'a signal'}: ${printable(stderr.trim().slice(0, 300))}`,
  hint,
})

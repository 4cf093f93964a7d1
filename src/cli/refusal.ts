import { LibxlError } from '../libxl/libxl-error.js'
import type { Diagnostic, Span } from '../xlu/diagnostic.js'

/** Something to tell about a whole disk, or about several. */
export const remark = (
  severity: Diagnostic['severity'],
  code: string,
  message: string,
  at: Span,
  hint?: string,
): Diagnostic => ({ severity, code, message, ...at, notes: [], ...(hint !== undefined && { hint }) })

/** libxl's refusal of a disk as a diagnostic; any other error is thrown on. */
export function libxlRefusal(error: unknown, at: Span): Diagnostic {
  if (!(error instanceof LibxlError)) throw error
  return remark('error', error.code, error.message, at, hintFor(error.message))
}

function hintFor(message: string): string | undefined {
  if (message.startsWith('backend domain ')) return 'give its number with --domain NAME=DOMID'
  if (message.includes(' failed to stat: ')) return '--offline does not look at targets'
  return undefined
}

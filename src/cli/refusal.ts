import { LibxlError } from '../libxl/libxl-error.js'
import type { LibxlReason } from '../libxl/libxl-reason.js'
import type { Diagnostic, Span } from '../xlu/diagnostic.js'
import type { DiagnosticCode } from '../xlu/diagnostic-code.js'
import { DiskFormatError } from '../xlu/format-disk.js'

/** Something to tell about a whole disk, or about several. */
export const remark = (
  severity: Diagnostic['severity'],
  code: DiagnosticCode,
  message: string,
  at: Span,
  hint?: string,
): Diagnostic => ({ severity, code, message, ...at, notes: [], ...(hint !== undefined && { hint }) })

export type Hints = { readonly [Reason in LibxlReason]?: string }

/** What to do about a refusal where nothing is asked of a running Xen. */
const hintsWithoutXen: Hints = {
  'backend-domain-unknown': 'give its number with --domain NAME=DOMID',
  'target-missing': '--offline does not look at targets',
  'read-only': 'write access=rw, or name the disk sda: QEMU has read-only disks on SCSI',
}

/** What to do about a refusal on a running Xen. */
export const hintsOnXen: Hints = {
  'backend-domain-unknown': "write a running domain's name or number: backend=NAME, as in 'xl list'",
  'target-missing': 'the target must be on this machine; if another domain has it, add backend=NAME',
  'domain-missing': "'xl list' shows the domains and their numbers",
  'device-exists': 'take another vdev; --list shows those that the domain has',
}

/** libxl's refusal of a disk as a diagnostic; any other error is thrown on. */
export function libxlRefusal(error: unknown, at: Span, hints: Hints = hintsWithoutXen): Diagnostic {
  if (!(error instanceof LibxlError)) throw error
  const { code, reason, field, message } = error
  return { ...remark('error', code, message, at, hints[reason]), reason, ...(field !== undefined && { field }) }
}

/** That a disk has no spec, as a diagnostic; any other error is thrown on. */
export function unwritable(error: unknown, at: Span): Diagnostic {
  if (!(error instanceof DiskFormatError)) throw error
  const { code, field, message } = error
  return { ...remark('error', code, message, at, '-o json can show the disk'), field }
}

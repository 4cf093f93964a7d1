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

type Hints = readonly (readonly [part: RegExp, hint: string])[]

/** What to do about a refusal where nothing is asked of a running Xen. */
const hintsWithoutXen: Hints = [
  [/\bbackend domain "/, 'give its number with --domain NAME=DOMID'],
  [/ failed to stat: /, '--offline does not look at targets'],
  [/ support read-only (IDE|AHCI) disk/, 'write access=rw, or name the disk sda: QEMU has read-only disks on SCSI'],
]

/** What to do about a refusal on a running Xen. */
export const hintsOnXen: Hints = [
  [/\bbackend domain "/, "write a running domain's name or number: backend=NAME, as in 'xl list'"],
  [/ failed to stat: /, 'the target must be on this machine; if another domain has it, add backend=NAME'],
  [/^domain \d+ does not exist/, "'xl list' shows the domains and their numbers"],
  [/\bdevice already exists in xenstore/, 'take another vdev; --list shows those that the domain has'],
]

/** libxl's refusal of a disk as a diagnostic; any other error is thrown on. */
export function libxlRefusal(error: unknown, at: Span, hints = hintsWithoutXen): Diagnostic {
  if (!(error instanceof LibxlError)) throw error
  const { code, message } = error
  return remark('error', code, message, at, hints.find(([part]) => part.test(message))?.[1])
}

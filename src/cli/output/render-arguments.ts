import { buildDiskArgs } from '../../dm-args/build-disk-args.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { Diagnostic, Span } from '../../xlu/diagnostic.js'
import type { Guest } from '../guest.js'
import { libxlRefusal, remark } from '../refusal.js'
import { oneALine } from './one-a-line.js'

/** QEMU's arguments for the disks, one a line. */
export function renderArguments(
  disks: readonly ResolvedDisk[],
  guest: Guest,
  at: Span,
  diagnostics: Diagnostic[],
): Iterable<string> {
  const warn = (message: string, hint?: string) =>
    diagnostics.push(remark('warning', 'not-emulated', message, at, hint))
  if (guest.domainType !== 'hvm')
    warn(`QEMU emulates no disks for a guest of type ${guest.domainType}`, 'only those of type hvm have such arguments')
  try {
    const { args, warnings } = buildDiskArgs(disks, guest)
    for (const warning of warnings) warn(warning.replaceAll('\n', ' '))
    return oneALine(args, at, diagnostics)
  } catch (error) {
    diagnostics.push(libxlRefusal(error, at))
    return []
  }
}

import type { DeviceDisk } from '../../libxl/device-disk.js'
import type { Diagnostic, Note, Span } from '../diagnostic.js'
import type { Parameter } from '../disk-grammar.js'
import { cdromAccess } from './cdrom-access.js'
import { coloDisk } from './colo-disk.js'
import { coloExportId } from './colo-export-id.js'
import { coloKeys } from './colo-keys.js'
import { coloPort } from './colo-port.js'
import { deprecatedPrefix } from './deprecated-prefix.js'
import { type Finding, type LintRule, nothing } from './finding.js'
import { formatMismatch } from './format-mismatch.js'
import { LintContext } from './lint-context.js'
import { pathCharacters } from './path-characters.js'
import { strayEquals } from './stray-equals.js'
import { unknownVdev } from './unknown-vdev.js'

const rules: readonly LintRule[] = [
  deprecatedPrefix,
  strayEquals,
  unknownVdev,
  pathCharacters,
  formatMismatch,
  cdromAccess,
  coloKeys,
  coloPort,
  coloExportId,
  coloDisk,
]

/** What libxl takes in silence and the user would rather have known, of one accepted disk. */
export function lintDisk(
  disk: DeviceDisk,
  words: readonly string[],
  parameters: readonly (readonly Parameter[])[],
): Diagnostic[] {
  const context = new LintContext(disk, words, parameters)
  const diagnostics: Diagnostic[] = []
  for (const rule of rules) {
    const findings = rule(context)
    if (findings !== nothing) for (const finding of findings) diagnostics.push(warning(finding))
  }
  return diagnostics
}

export function warning({ code, field, message, at, hint, notes }: Finding): Diagnostic {
  const { spec, start, end } = at
  const diagnostic: Diagnostic = {
    severity: 'warning',
    code,
    message,
    spec,
    start,
    end,
    notes: notes?.map(moved) ?? [],
  }
  if (field !== undefined) diagnostic.field = field
  if (hint !== undefined) diagnostic.hint = hint
  return diagnostic
}

const moved = ({ message, at }: { message: string; at: Span }): Note => ({ message, ...at })

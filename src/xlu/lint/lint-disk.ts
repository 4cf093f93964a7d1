import type { Diagnostic, Note, Span } from '../diagnostic.js'
import type { DiskReader } from '../disk-reader.js'
import { cdromAccess } from './cdrom-access.js'
import { coloDisk } from './colo-disk.js'
import { coloKeys } from './colo-keys.js'
import { coloPort } from './colo-port.js'
import { deprecatedPrefix } from './deprecated-prefix.js'
import { type Finding, nothing } from './finding.js'
import { formatMismatch } from './format-mismatch.js'
import { LintContext } from './lint-context.js'
import { networkTarget } from './network-target.js'
import { pathCharacters } from './path-characters.js'
import { strayEquals } from './stray-equals.js'
import { unknownVdev } from './unknown-vdev.js'

/** What libxl takes in silence and the user would rather have known, of one accepted disk. */
export function lintDisk(reader: DiskReader, words: readonly string[]): Diagnostic[] {
  const context = new LintContext(reader, words)
  const diagnostics: Diagnostic[] = []
  // each by its name, as V8 inlines no call through a list of rules, and nearly all of them find nothing
  report(deprecatedPrefix(context), diagnostics)
  report(strayEquals(context), diagnostics)
  report(unknownVdev(context), diagnostics)
  report(pathCharacters(context), diagnostics)
  report(formatMismatch(context), diagnostics)
  report(networkTarget(context), diagnostics)
  report(cdromAccess(context), diagnostics)
  report(coloKeys(context), diagnostics)
  report(coloPort(context), diagnostics)
  report(coloDisk(context), diagnostics)
  return diagnostics
}

function report(findings: Iterable<Finding>, diagnostics: Diagnostic[]): void {
  if (findings !== nothing) add(findings, diagnostics)
}

/** Apart from the check, so that V8 inlines that. */
function add(findings: Iterable<Finding>, diagnostics: Diagnostic[]): void {
  for (const finding of findings) diagnostics.push(warning(finding))
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

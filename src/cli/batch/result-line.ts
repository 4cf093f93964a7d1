import { decodeText } from '../../byte-text.js'
import { toCompactLibxlJson } from '../../libxl/to-libxl-json.js'
import type { Diagnostic } from '../../xlu/diagnostic.js'
import type { DiagnosticCode } from '../../xlu/diagnostic-code.js'
import { safeParseDisk } from '../../xlu/parse-disk.js'
import { bounded } from '../bounded.js'
import { isOutOfMemory } from '../out-of-memory.js'
import { remark } from '../refusal.js'
import { longestSpec } from './spec-blocks.js'

const accepted = 0
/** What xlu_disk_parse returns for a spec that it refuses. */
const EINVAL = 22

/** The answer to one spec, as one line of JSON; in the record's strings a byte that is no text is a lone surrogate. */
export function resultLine(spec: string, strict: boolean): string {
  try {
    return answer(spec, strict)
  } catch (error) {
    if (!isOutOfMemory(error)) throw error
    return unread(spec.slice(0, 100), 'too-large', 'what is wrong with this spec is more than fits into memory')
  }
}

function answer(spec: string, strict: boolean): string {
  const result = safeParseDisk(spec, { strict })
  const { diagnostics } = result
  if (!result.success) return line(EINVAL, 'null', result.error.libxlMessage, diagnostics)
  return line(accepted, toCompactLibxlJson(result.disk), '', diagnostics)
}

/** The answer to a spec that is not read, as it is too long. */
export function tooLongLine(bytes: Uint8Array): string {
  const spec = decodeText(bytes.subarray(0, 100))
  const message = `a spec of more than ${longestSpec} bytes is not read; it begins as shown`
  return unread(spec, 'too-long', message)
}

const unread = (spec: string, code: DiagnosticCode, message: string): string =>
  line(EINVAL, 'null', '', [remark('error', code, message, { spec, start: 0, end: spec.length })])

/** What JSON.stringify gives, in a fraction of its time. */
function diagnosticJson({ severity, code, field, message, spec, start, end, notes, hint }: Diagnostic): string {
  const kind = `{"severity":"${severity}","code":"${code}"${field === undefined ? '' : `,"field":"${field}"`}`
  const told = `${kind},"message":${JSON.stringify(message)},"spec":${JSON.stringify(spec)},`
  const placed = `${told}"start":${start},"end":${end},"notes":${notes.length === 0 ? '[]' : JSON.stringify(notes)}`
  return hint === undefined ? `${placed}}` : `${placed},"hint":${JSON.stringify(hint)}}`
}

function line(rc: number, disk: string, libxlMessage: string, diagnostics: readonly Diagnostic[]): string {
  const message = libxlMessage === '' ? 'null' : JSON.stringify(libxlMessage)
  const list = diagnostics.length === 0 ? '[]' : `[${bounded(diagnostics).map(diagnosticJson).join()}]`
  return `{"rc":${rc},"disk":${disk},"message":${message},"diagnostics":${list}}\n`
}

import { checkFlag, checkOptionalText, checkOptions, wrongType } from '../check-argument.js'
import type { DeviceDisk } from '../libxl/device-disk.js'
import type { Diagnostic } from './diagnostic.js'
import { DiskReader } from './disk-reader.js'
import { DiskSpecError } from './disk-spec-error.js'
import { explainRefusal } from './explain-refusal.js'
import { lintDisk } from './lint/lint-disk.js'

/** How `parseDisk` reads a spec. */
export interface ParseDiskOptions {
  /** What libxlutil names as the source in its messages: a file's name as given; "command line" if absent. */
  source?: string | undefined
  /** Refuse what is accepted with a warning otherwise. */
  strict?: boolean | undefined
}

/** What `safeParseDisk` returns; under `strict` the error of a spec that libxlutil accepts has an empty `libxlMessage`. */
export type SafeParseDiskResult =
  | { success: true; disk: DeviceDisk; diagnostics: Diagnostic[] }
  | { success: false; error: DiskSpecError; diagnostics: Diagnostic[] }

/**
 * Reads an xl disk specification as `xlu_disk_parse` of Xen's libxlutil does.
 *
 * @param spec one spec, or the several words that make up one disk, as for `xl block-attach`
 * @throws {TypeError} where the spec is neither a string nor an array of strings
 * @throws {DiskSpecError} where libxlutil refuses it, with libxlutil's own message and the exact place
 */
export function parseDisk(spec: string | readonly string[], options?: ParseDiskOptions): DeviceDisk {
  if (options !== undefined) checkReading(options)
  if (options?.strict) {
    const result = safeParseDisk(spec, options)
    if (result.success) return result.disk
    throw result.error
  }
  const words = wordsOf(spec)
  const reader = readWords(words)
  if (reader) return reader.disk
  throw refusal(words, options)
}

/** `parseDisk` that returns a refusal instead of throwing it, and the warnings with either outcome. */
export function safeParseDisk(spec: string | readonly string[], options?: ParseDiskOptions): SafeParseDiskResult {
  if (options !== undefined) checkReading(options)
  const words = wordsOf(spec)
  const reader = readWords(words)
  if (!reader) {
    const error = refusal(words, options)
    return { success: false, error, diagnostics: [...error.diagnostics] }
  }
  const diagnostics = lintDisk(reader, words)
  if (options?.strict && diagnostics.length > 0) {
    for (const diagnostic of diagnostics) diagnostic.severity = 'error'
    return { success: false, error: new DiskSpecError(diagnostics, ''), diagnostics }
  }
  return { success: true, disk: reader.disk, diagnostics }
}

function checkReading(options: ParseDiskOptions): void {
  checkOptions(options)
  checkOptionalText('source', options.source)
  checkFlag('strict', options.strict)
}

function wordsOf(spec: string | readonly string[]): readonly string[] {
  if (typeof spec === 'string') return [spec]
  if (Array.isArray(spec) && spec.every(word => typeof word === 'string')) return spec
  throw wrongType('spec', 'a string or an array of strings', spec)
}

/** What has read the disk, or undefined where it is refused; the reasons are looked for only then. */
function readWords(words: readonly string[]): DiskReader | undefined {
  const reader = new DiskReader(false)
  for (let word = 0; word < words.length; word++) {
    const text = words[word]!
    // not includes, which takes V8 twice as long
    if (text.indexOf('\0') >= 0) return undefined
    if (!reader.read(word, text)) return undefined
  }
  reader.finish(words.length - 1)
  return reader.refusals.length === 0 ? reader : undefined
}

function refusal(words: readonly string[], options: ParseDiskOptions | undefined): DiskSpecError {
  const { diagnostics, libxlMessage } = explainRefusal(words, options?.source ?? 'command line')
  return new DiskSpecError(diagnostics, libxlMessage)
}

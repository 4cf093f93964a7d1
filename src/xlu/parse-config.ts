import { decodeText } from '../byte-text.js'
import { checkFlag, checkOptions, checkText, wrongType } from '../check-argument.js'
import { XenlightError } from '../xenlight-error.js'
import { parse } from './cfg-grammar.js'
import { Config } from './config.js'
import { ConfigReader } from './config-reader.js'
import type { Diagnostic } from './diagnostic.js'
import type { ConfigSyntaxErrorCode } from './diagnostic-code.js'
import { LineIndex } from './line-index.js'

/** How `parseConfig` reads a text. */
export interface ParseConfigOptions {
  /** What libxl's messages call the text. Default: `command line`, as xl does for settings given there. */
  filename?: string | undefined
  /** Refuse what is accepted with a warning otherwise. */
  strict?: boolean | undefined
}

/** What `safeParseConfig` returns; under `strict` the error of a text that libxl accepts has an empty `libxlMessage`. */
export type ParseConfigResult =
  | { success: true; config: Config; diagnostics: Diagnostic[] }
  | { success: false; error: ConfigSyntaxError; diagnostics: Diagnostic[] }

/** A configuration text that libxlu_cfg refuses. */
export class ConfigSyntaxError extends XenlightError {
  override readonly name = 'ConfigSyntaxError'
  /** The first error's code; the diagnostics have those of all. */
  readonly code: ConfigSyntaxErrorCode
  /** Byte for byte what libxlu_cfg writes on its report stream, up to where it would crash if it does. */
  readonly libxlMessage: string
  readonly diagnostics: readonly Diagnostic[]

  constructor(message: string, libxlMessage: string, diagnostics: readonly Diagnostic[]) {
    super(message)
    // only our own reader makes one, and of its own diagnostics
    this.code = firstError(diagnostics).code as ConfigSyntaxErrorCode
    this.libxlMessage = libxlMessage
    this.diagnostics = diagnostics
  }
}

/**
 * Reads an xl domain configuration file as xlu_cfg_readdata of libxlutil does.
 *
 * @param source its bytes, or its text. Bytes that are not UTF-8, such as those of a file's name in Latin-1, are kept: in the
 * text each stands as a lone surrogate, U+DC00 + byte. Reading the file as UTF-8 beforehand would lose them.
 * @throws ConfigSyntaxError where libxlutil refuses it
 * @throws TypeError for what is neither, and for options that are none
 */
export function parseConfig(source: string | Uint8Array, options?: ParseConfigOptions): Config {
  const result = safeParseConfig(source, options)
  if (!result.success) throw result.error
  return result.config
}

/** `parseConfig` with its error as a result, and with warnings for what libxl swallows. */
export function safeParseConfig(source: string | Uint8Array, options: ParseConfigOptions = {}): ParseConfigResult {
  checkOptions(options)
  const { filename = 'command line', strict } = options
  checkText('filename', filename)
  checkFlag('strict', strict)
  const text = textOf(source)
  const reader = new ConfigReader(text, filename)
  parse(text, { reader })
  const { report, settings } = reader
  const { diagnostics } = report
  if (!report.failed) {
    warnOfLostDisks(reader)
    if (strict && diagnostics.length > 0) {
      for (const diagnostic of diagnostics) diagnostic.severity = 'error'
      return {
        success: false,
        error: new ConfigSyntaxError(summary(text, filename, diagnostics), '', diagnostics),
        diagnostics,
      }
    }
    return { success: true, config: new Config(text, filename, settings), diagnostics }
  }
  const error = new ConfigSyntaxError(summary(text, filename, diagnostics), report.libxlMessage, diagnostics)
  return { success: false, error, diagnostics }
}

function textOf(source: unknown): string {
  if (typeof source === 'string') return source
  if (source instanceof Uint8Array) return decodeText(source)
  throw wrongType('source', 'a string or a Uint8Array', source)
}

function summary(text: string, filename: string, diagnostics: readonly Diagnostic[]): string {
  const first = firstError(diagnostics)
  const { line, column } = new LineIndex(text).at(first.start)
  return `${filename}:${line}:${column}: ${first.message}${first.hint === undefined ? '' : ` (${first.hint})`}`
}

const firstError = (diagnostics: readonly Diagnostic[]): Diagnostic =>
  diagnostics.find(({ severity }) => severity === 'error')!

function warnOfLostDisks({ settings, report }: ConfigReader): void {
  const disk = settings.get('disk')
  if (!disk) return
  if (disk.value.kind === 'string') {
    const hint = 'write disk = [ "…" ]'
    report.warn('config-disk-no-list', 'xl takes no disk from this: it is no list', disk.start, disk.end, hint)
    return
  }
  const nested = disk.value.values.find(({ kind }) => kind === 'list')
  if (nested?.kind !== 'list') return
  const message = 'xl takes no disk from here on: this item is a list'
  report.warn('config-disk-nested', message, nested.start, nested.end, 'write each disk as one string')
}

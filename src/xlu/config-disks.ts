import { checkFlag, checkOptions, wrongType } from '../check-argument.js'
import type { DeviceDisk } from '../libxl/device-disk.js'
import type { Config, ConfigDiskSpec } from './config.js'
import type { ConfigPlace } from './config-place.js'
import type { Diagnostic, Note, Span } from './diagnostic.js'
import { DiskSpecError } from './disk-spec-error.js'
import { lintFile } from './lint/lint-file.js'
import { safeParseDisk } from './parse-disk.js'

/** A disk of a configuration file. */
export interface ConfigDisk extends ConfigDiskSpec {
  disk: DeviceDisk
}

/** Every disk of a file, or an error for each that is refused; diagnostics of all of them with either outcome. */
export type ConfigDisksResult =
  | { success: true; disks: ConfigDisk[]; diagnostics: Diagnostic[] }
  | { success: false; errors: DiskSpecError[]; diagnostics: Diagnostic[] }

/** How `parseConfigDisks` reads a file's disks. */
export interface ConfigDisksOptions {
  /** Refuse what is accepted with a warning otherwise. */
  strict?: boolean | undefined
}

/**
 * Every disk of a configuration file's `disk` list. Diagnostics, those of the errors too, point into the file. xl stops at
 * the first disk that it refuses; here all of them are told.
 */
export function parseConfigDisks(config: Config, options: ConfigDisksOptions = {}): ConfigDisksResult {
  if (typeof config?.getDiskSpecs !== 'function') throw wrongType('config', 'what parseConfig returns', config)
  checkOptions(options)
  checkFlag('strict', options.strict)
  const { strict } = options
  const disks: ConfigDisk[] = []
  const errors: DiskSpecError[] = []
  const diagnostics: Diagnostic[] = []
  for (const { spec, place } of config.getDiskSpecs()) {
    const result = safeParseDisk(spec, { source: config.filename, strict })
    const relocated = result.diagnostics.map(diagnostic => relocate(diagnostic, config.text, place))
    if (result.success) disks.push({ spec, place, disk: result.disk })
    else errors.push(new DiskSpecError(relocated, result.error.libxlMessage, at(config, relocated)))
    for (const diagnostic of relocated) diagnostics.push(diagnostic)
  }
  for (const finding of lintFile(disks, config.text)) {
    if (!strict) diagnostics.push(finding)
    else {
      const diagnostic: Diagnostic = { ...finding, severity: 'error' }
      diagnostics.push(diagnostic)
      errors.push(new DiskSpecError([diagnostic], '', at(config, [diagnostic])))
    }
  }
  return errors.length > 0 ? { success: false, errors, diagnostics } : { success: true, disks, diagnostics }
}

function at(config: Config, [first]: readonly Diagnostic[]): string {
  const { line, column } = config.positionAt(first?.start ?? 0)
  return `at ${config.filename}:${line}:${column}`
}

function relocate(diagnostic: Diagnostic, text: string, place: ConfigPlace): Diagnostic {
  const move = <T extends Span>(span: T): T => ({ ...span, spec: text, ...place.span(span.start, span.end) })
  return { ...move(diagnostic), notes: diagnostic.notes.map((note): Note => move(note)) }
}

import type { DeviceDisk } from '../libxl/device-disk.js'
import type { Config, ConfigDiskSpec } from './config.js'
import type { ConfigPlace } from './config-place.js'
import type { Diagnostic, Note, Span } from './diagnostic.js'
import type { DiskSpecError } from './disk-spec-error.js'
import { lintFile } from './lint/lint-file.js'
import { safeParseDisk } from './parse-disk.js'

export interface ConfigDisk extends ConfigDiskSpec {
  disk: DeviceDisk
}

export type ConfigDisksResult =
  | { success: true; disks: ConfigDisk[]; diagnostics: Diagnostic[] }
  | { success: false; errors: DiskSpecError[]; diagnostics: Diagnostic[] }

export interface ConfigDisksOptions {
  /** Refuse what is accepted with a warning otherwise. */
  strict?: boolean
}

/**
 * Every disk of a configuration file's `disk` list. Diagnostics point into the file. xl stops at the first disk that it
 * refuses; here all of them are told.
 */
export function parseConfigDisks(config: Config, options: ConfigDisksOptions = {}): ConfigDisksResult {
  const disks: ConfigDisk[] = []
  const errors: DiskSpecError[] = []
  const diagnostics: Diagnostic[] = []
  for (const { spec, place } of config.getDiskSpecs()) {
    const result = safeParseDisk(spec, { source: config.filename, strict: options.strict ?? false })
    if (result.success) disks.push({ spec, place, disk: result.disk })
    else errors.push(result.error)
    diagnostics.push(...result.diagnostics.map(diagnostic => relocate(diagnostic, config.text, place)))
  }
  for (const finding of lintFile(disks, config.text)) {
    diagnostics.push(options.strict ? { ...finding, severity: 'error' } : finding)
  }
  const refused = errors.length > 0 || diagnostics.some(({ severity }) => severity === 'error')
  return refused ? { success: false, errors, diagnostics } : { success: true, disks, diagnostics }
}

function relocate(diagnostic: Diagnostic, text: string, place: ConfigPlace): Diagnostic {
  const move = <T extends Span>(span: T): T => ({ ...span, spec: text, ...place.span(span.start, span.end) })
  return { ...move(diagnostic), notes: diagnostic.notes.map((note): Note => move(note)) }
}

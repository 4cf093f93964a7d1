import type { DeviceDisk } from '../libxl/device-disk.js'
import type { Config } from '../xlu/config.js'
import type { Diagnostic, Span } from '../xlu/diagnostic.js'

/** A disk and the text that gave it. */
export interface PlacedDisk {
  disk: DeviceDisk
  at: Span
}

export interface SourceFile {
  /** As it was given. */
  filename: string
  text: string
}

/** What was read: the disks are there only where all of them are good. */
export interface DisksRead {
  disks: PlacedDisk[] | undefined
  diagnostics: Diagnostic[]
  /** The file that the disks came from, and its settings where it could be read. */
  file?: SourceFile
  config?: Config
}

import type { DeviceDisk } from '../../libxl/device-disk.js'
import type { Diagnostic } from '../diagnostic.js'
import type { Parameter } from '../disk-grammar.js'
export function lintDisk(
  _disk: DeviceDisk,
  _words: readonly string[],
  _parameters: readonly Parameter[][],
): Diagnostic[] {
  return []
}

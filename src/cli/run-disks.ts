import type { Diagnostic } from '../xlu/diagnostic.js'
import type { DisksCommand } from './command.js'
import { done, refused } from './exit-status.js'
import type { Io } from './io.js'
import { renderDisks } from './output/render-disks.js'
import { readDisks } from './read-disks.js'
import { report } from './report.js'
import { writePieces } from './write-pieces.js'

/** Reads disks and writes them in the form asked for; nothing is written where anything is refused. */
export function runDisks(command: DisksCommand, io: Io): number {
  const read = readDisks(command, io)
  const { disks } = read
  const pieces = disks && renderDisks(disks, read, command, io)
  const diagnostics = command.strict ? read.diagnostics.map(asError) : read.diagnostics
  report(diagnostics, command.diagnostics, read.file, io)
  if (pieces === undefined || diagnostics.some(({ severity }) => severity === 'error')) return refused
  writePieces(1, pieces, io)
  return done
}

/** That a CD drive stays what it is is no mistake of anybody's. */
const asError = (diagnostic: Diagnostic): Diagnostic =>
  diagnostic.code === 'left-unprotected' ? diagnostic : { ...diagnostic, severity: 'error' }

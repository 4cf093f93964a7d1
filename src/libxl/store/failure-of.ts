import type { DeviceDisk } from '../device-disk.js'
import { LibxlError } from '../libxl-error.js'
import { CommitUnknown } from './write-device.js'

/** Why one of several disks was not attached. */
export interface Failure {
  /** Which one. */
  index: number
  error: unknown
}

/** What became of the disks that had been written by then. */
export type Aftermath =
  | { kind: 'nothing written' | 'taken away' | 'kept' }
  | { kind: 'left behind'; why: readonly string[] }

/** One error for all that failed: the first one, with what else there is to know. */
export function failureOf(failures: readonly Failure[], disks: readonly DeviceDisk[], aftermath: Aftermath): unknown {
  const causes = failures.map(({ error }) => (error instanceof CommitUnknown ? error.cause : error))
  const [first] = causes
  const isAlone = disks.length === 1
  const notes = notesOn(aftermath, isAlone)
  const isPlain = notes.length === 0 || (!(first instanceof LibxlError) && aftermath.kind === 'taken away')
  if (isAlone && isPlain) return first
  const told = failures.map(({ index }, nth) => {
    const which = isAlone ? '' : `disk ${index + 1} of ${disks.length} (${disks[index]?.vdev}): `
    return which + messageOf(causes[nth])
  })
  const reason = first instanceof LibxlError ? first.reason : 'store-failed'
  const error = new LibxlError(reason, [...told, ...notes].join('; '), { cause: first })
  // the command tells each disk's failure where it stands
  return Object.defineProperty(error, 'failures', {
    value: failures.map(({ index }, nth) => ({ index, error: causes[nth] })),
  })
}

/** The error of what was given up by its caller. */
export const givenUp = (what: string, signal: AbortSignal, aftermath: Aftermath): LibxlError =>
  new LibxlError('aborted', [`${what} was given up`, ...notesOn(aftermath, true)].join('; '), { cause: signal.reason })

function notesOn(aftermath: Aftermath, isAlone: boolean): string[] {
  switch (aftermath.kind) {
    case 'nothing written':
      return isAlone ? [] : ['nothing was written']
    case 'kept':
      return isAlone ? [] : ['the nodes of the others stay']
    case 'taken away':
      return ['what was written has been taken away again']
    case 'left behind':
      return [`could not be taken away again: ${aftermath.why.join(', ')}`]
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

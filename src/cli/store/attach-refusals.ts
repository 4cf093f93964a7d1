import { LibxlError } from '../../libxl/libxl-error.js'
import type { Diagnostic, Span } from '../../xlu/diagnostic.js'
import type { PlacedDisk } from '../placed-disk.js'
import { type Hints, libxlRefusal } from '../refusal.js'

/** What the error of `addDisks` says of each disk that failed. */
interface Failures {
  readonly failures: readonly { readonly index: number; readonly error: unknown }[]
  /** What became of what had been written by then. */
  readonly rollback?: { readonly outcome: string; readonly left: readonly { vdev: string; why: string }[] }
}

/**
 * Why disks were not attached: a diagnostic for each that failed, where it stands in the text; one for all where it is not
 * known which did. Any error that is no refusal is thrown on.
 */
export function attachRefusals(error: unknown, disks: readonly PlacedDisk[], hints: Hints | undefined): Diagnostic[] {
  const whole: Span = { ...disks[0]!.at, end: disks.at(-1)!.at.end }
  if (!hasFailures(error) || disks.length === 1) return [libxlRefusal(error, placeOf(error, disks) ?? whole, hints)]
  const diagnostics = error.failures.map(failure =>
    libxlRefusal(asRefusal(failure.error), disks[failure.index]?.at ?? whole, hints),
  )
  const outcome = rollbackText(error)
  if (outcome !== undefined) diagnostics.at(-1)!.notes.push({ message: outcome, ...whole })
  return diagnostics
}

const hasFailures = (error: unknown): error is LibxlError & Failures =>
  error instanceof LibxlError && 'failures' in error && Array.isArray(error.failures) && error.failures.length > 0

/** What a store says is no refusal of libxl's, and here the failure of one disk. */
const asRefusal = (error: unknown): LibxlError =>
  error instanceof LibxlError
    ? error
    : new LibxlError('store-failed', error instanceof Error ? error.message : String(error), { cause: error })

function placeOf(error: unknown, disks: readonly PlacedDisk[]): Span | undefined {
  if (!(error instanceof LibxlError) || error.vdev === undefined) return undefined
  return disks.findLast(({ disk }) => disk.vdev === error.vdev)?.at
}

function rollbackText({ rollback }: Failures): string | undefined {
  const left = rollback?.left.map(({ vdev, why }) => `${vdev}: ${why}`) ?? []
  switch (rollback?.outcome) {
    case 'kept':
      return 'the nodes of the others stay'
    case 'complete':
      return ['all changes were rolled back', ...left].join('; ')
    case 'incomplete':
      return `the rollback is incomplete: ${left.join(', ')}`
    default:
      return undefined
  }
}

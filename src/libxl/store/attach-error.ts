import { LibxlError } from '../libxl-error.js'
import type { RollBack } from './roll-back.js'

/** Why one of several disks was not attached. */
export interface AttachFailure {
  /** Which one, counted from 0. */
  readonly index: number
  /** Its name; undefined where the record has none. */
  readonly vdev: string | undefined
  readonly error: Error
}

export interface AttachErrorDetails {
  /** How many disks were to be attached. */
  count: number
  failures: readonly AttachFailure[]
  rollback: RollBack
  /** The reason of the caller's signal, where it ended the whole. */
  aborted?: { what: string; cause: unknown } | undefined
}

/** That disks were not attached: which of them failed and why, and what became of what had been written by then. */
export class AttachError extends LibxlError {
  override readonly name: string = 'AttachError'
  /** Those that failed, in the order in which they were given; empty where the caller aborted before any did. */
  declare readonly failures: readonly AttachFailure[]
  declare readonly rollback: RollBack

  constructor({ count, failures, rollback, aborted }: AttachErrorDetails) {
    const first = failures[0]?.error
    const reason = aborted !== undefined ? 'aborted' : first instanceof LibxlError ? first.reason : 'store-failed'
    const vdev = failures[0]?.vdev
    super(reason, messageOf(count, failures, rollback, aborted?.what), {
      ...(aborted === undefined && vdev !== undefined && { vdev }),
      cause: aborted === undefined ? first : aborted.cause,
    })
    const facts = { failures: Object.freeze([...failures]), rollback }
    for (const [name, value] of Object.entries(facts)) Object.defineProperty(this, name, { value, enumerable: true })
  }
}

function messageOf(
  count: number,
  failures: readonly AttachFailure[],
  rollback: RollBack,
  aborted: string | undefined,
): string {
  const isAlone = count === 1
  const of = ({ index, vdev }: AttachFailure) => (isAlone ? '' : `disk ${index + 1} of ${count} (${vdev}): `)
  const told =
    aborted === undefined ? failures.map(failure => of(failure) + failure.error.message) : [`${aborted} was aborted`]
  return [...told, ...notesOn(rollback, isAlone)].join('; ')
}

function notesOn({ outcome, left }: RollBack, isAlone: boolean): string[] {
  const notes = left.map(({ vdev, why }) => `${vdev}: ${why}`)
  switch (outcome) {
    case 'nothing-written':
      return isAlone ? [] : ['nothing was written']
    case 'kept':
      return isAlone ? [] : ['the nodes of the others stay']
    case 'complete':
      return ['all changes were rolled back', ...notes]
    case 'incomplete':
      return [`the rollback is incomplete: ${notes.join(', ')}`]
  }
}

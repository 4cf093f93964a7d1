import { ReplicationError } from '../replication-error.js'
import { granuleSize } from '../wire/message.js'
import type { Branch } from './branch.js'
import { bytesOf, granuleRuns } from './granule-runs.js'
import type { Journal, Run } from './journal-seam.js'
import type { PrimarySide } from './primary-side.js'

/** How far something long has come, in bytes. */
export type Progress = (done: number, all: number) => void

export interface CopyBackOptions {
  branch: Branch
  journal: Journal
  side: PrimarySide
  progress?: Progress | undefined
  signal?: AbortSignal | undefined
  /** The primary side has answered: its disks are the branch's to write. */
  began?: (() => void) | undefined
}

/** So much is read and sent at a time, in bytes. */
const partSize = 1024 * 1024
/** While the recovery VM still writes, what it wrote is sent again so often, or until there is less than this, in bytes. */
const passesAtMost = 5
const littleEnough = 16 * 1024 * 1024

/** The granules of a branch's volume that may differ from what the primary side has. */
function changedGranules(journal: Journal, branch: Branch, volume: number, more: Iterable<Run> = []): Run[] {
  const { size } = branch.overlay(volume)
  return granuleRuns(size, [
    ...journal.changedSince(branch.record.position, volume),
    ...branch.overlay(volume).granules(),
    ...more,
  ])
}

/** Reads what some runs of a branch have, in parts of at most 1 MiB. */
async function* readRuns(
  branch: Branch,
  volume: number,
  runs: Iterable<Run>,
): AsyncGenerator<{ offset: number; data: Uint8Array }> {
  for (const { offset, length } of runs)
    for (let at = offset; at < offset + length; at += partSize) {
      const part = { offset: at, length: Math.min(partSize, offset + length - at) }
      yield { offset: at, data: await branch.read(volume, part) }
    }
}

/**
 * Copies what differs to the primary side, while the recovery VM goes on. What it writes meanwhile is left for `copyRest`.
 *
 * @throws ReplicationError lost where the signal is aborted; what the primary side fails with
 */
export async function copyChanged(options: CopyBackOptions): Promise<void> {
  const { branch, journal, side, began } = options
  const runs = new Map<number, Run[]>()
  for (const { number } of branch.volumes) {
    branch.overlay(number).takeWritten()
    const differing = await side.differing(number)
    began?.()
    runs.set(number, changedGranules(journal, branch, number, differing))
  }
  await copyRuns(options, runs)
  for (let pass = 1; pass < passesAtMost; pass++) {
    if ((await copyWritten(options)) <= littleEnough) return
  }
}

/** Copies what was written since. @returns how much that was, in bytes @throws as `copyChanged` does */
export async function copyWritten(options: CopyBackOptions): Promise<number> {
  checkWanted(options.signal)
  const written = takeWritten(options.branch)
  await copyRuns(options, written)
  return [...written.values()].reduce((sum, some) => sum + bytesOf(some), 0)
}

/** Copies what was written since, of a branch that is frozen; all is durable on the primary side then. */
export async function copyRest(options: CopyBackOptions): Promise<void> {
  await copyWritten(options)
  await options.side.flush()
}

function takeWritten(branch: Branch): Map<number, Run[]> {
  const written = new Map<number, Run[]>()
  for (const { number, size } of branch.volumes) {
    const granules = branch.overlay(number).takeWritten()
    const runs = granules.map(granule => ({ offset: granule * granuleSize, length: granuleSize }))
    written.set(number, granuleRuns(size, runs))
  }
  return written
}

async function copyRuns(
  { branch, side, progress, signal }: CopyBackOptions,
  all: ReadonlyMap<number, Run[]>,
): Promise<void> {
  const bytes = [...all.values()].reduce((sum, runs) => sum + bytesOf(runs), 0)
  let done = 0
  for (const [volume, runs] of all)
    for await (const { offset, data } of readRuns(branch, volume, runs)) {
      checkWanted(signal)
      await side.write(volume, offset, data)
      done += data.length
      progress?.(done, bytes)
    }
}

/** @throws ReplicationError lost */
function checkWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ReplicationError('lost', 'the fail-back was called off: it can be begun again')
}

import { dataAtMost, type StreamMessage, type StreamPlace } from '../wire/message.js'
import type { Branch } from './branch.js'
import type { Progress } from './copy-back.js'
import type { Journal, Run } from './journal-seam.js'
import { takeTurns } from './take-turns.js'

/** So much is appended before it is made durable, in bytes. */
const batch = 16 * 1024 * 1024

type Unplaced<Placed> = Placed extends StreamPlace ? Omit<Placed, keyof StreamPlace> : never

export interface WriteBackOptions {
  journal: Journal
  branch: Branch
  /** A new one: what was in the journal after the branch's point counts no more, and nobody's stream goes on there. */
  stream: string
  epoch: number
  hub: string
  /** The hub's clock, in microseconds. */
  now(): number
  progress?: Progress | undefined
}

/**
 * Writes a branch, which is frozen, into its group's journal: that goes back to the branch's point, and what was written to the branch
 * follows. It can be done again from its beginning, however far it came. Returns the last sequence of the stream.
 *
 * @throws ReplicationError full, file-failed
 */
export async function writeBack(options: WriteBackOptions): Promise<number> {
  const { journal, branch, stream, epoch, hub, now, progress } = options
  const { position, pointTime, name } = branch.record
  const all = branch.written
  // a clock that goes back would make a point that no time finds
  const time = Math.max(now(), pointTime)
  let sequence = 0
  let done = 0
  let uncommitted = 0
  const append = (message: Unplaced<StreamMessage>) =>
    journal.append({ ...message, channel: 0, sequence: ++sequence, time })
  journal.rewind(position)
  journal.beginStream(stream, epoch, hub)
  append({ kind: 'unsettled', reason: `fail-back of the branch ${name}` })
  for (const { number } of branch.volumes)
    for (const run of partsOf(branch.overlay(number).runs())) {
      const data = await branch.read(number, run)
      if (data.every(byte => byte === 0)) append({ kind: 'fillZero', volume: number, ...run })
      else append({ kind: 'fill', volume: number, offset: run.offset, data })
      uncommitted += run.length
      done += run.length
      if (uncommitted >= batch) {
        await journal.commit()
        uncommitted = 0
        progress?.(done, all)
      }
      await takeTurns()
    }
  append({ kind: 'settled' })
  await journal.commit()
  progress?.(all, all)
  return sequence
}

function* partsOf(runs: Iterable<Run>): Generator<Run> {
  for (const { offset, length } of runs)
    for (let at = offset; at < offset + length; at += dataAtMost)
      yield { offset: at, length: Math.min(dataAtMost, offset + length - at) }
}

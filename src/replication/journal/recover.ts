import type { Folder, OpenFile } from '../folder.js'
import type { Base } from './base-file.js'
import { damaged } from './damaged.js'
import { readSummary, writeIndex } from './index-file.js'
import { defaultNames } from './journal-options.js'
import { JournalState, type StateSnapshot } from './journal-state.js'
import { isAlive, type Rewind } from './lineage.js'
import { NamedPoints } from './named-points.js'
import { readSegment } from './read-segment.js'
import { hasLaterCommit } from './scan-segment.js'
import { indexName, numberOf, readSegmentHeader, segmentName } from './segment-header.js'
import type { Point, SegmentSummary } from './segment-index.js'
import { SegmentStore } from './segment-store.js'
import { removeTrial } from './try-room.js'

export interface Recovered {
  store: SegmentStore
  /** What is known behind the last durable record. */
  state: JournalState
  rewinds: Rewind[]
  points: NamedPoints
  /** Larger than that of any segment that there was. */
  nextNumber: number
}

/**
 * Finds out what a journal's segments hold, and makes durable what was found. Removes what is left of a crash.
 *
 * @param names how many there may be
 */
export async function recover(folder: Folder, base: Base, names = defaultNames): Promise<Recovered> {
  const store = new SegmentStore(folder, base.seed)
  removeTrial(folder)
  const { seed } = base
  const files = folder.list()
  const numbers = files.flatMap(name => numberOf(name, 'seg') ?? []).sort((a, b) => a - b)
  const rewinds: Rewind[] = []
  const points = new NamedPoints(names, ({ position }) => isAlive(position, Number.POSITIVE_INFINITY, rewinds))
  points.keep(() => base.kept)
  for (const name of base.names ?? []) points.add({ ...pointOf(base.state), name })
  for (const { name, position, time } of base.kept)
    if (position >= base.state.position) points.add({ name, position, time })
  const dead: number[] = []
  const take = (summary: SegmentSummary): void => {
    // first of all: of the points that they undid none pushes out another one
    rewinds.push(...summary.rewinds)
    for (const point of summary.points) points.add(point)
  }
  const whole = numbers.flatMap(number => withFile(folder, segmentName(number), file => headerOf(file, number, seed)))
  // Only the last of those without a header can hold what was acknowledged: another one was given up before its successor began.
  const last = numbers.at(-1)
  let limit = Number.POSITIVE_INFINITY
  const parts: { number: number; limit: number }[] = []
  for (const { number, first } of whole.reverse()) {
    // What begins at the same position or behind the next one was given up as well.
    if (first < limit) parts.unshift({ number, limit })
    limit = Math.min(limit, first)
  }
  let state = new JournalState(base.state)
  let isFirst = true
  for (const [index, part] of parts.entries()) {
    if (part.limit <= base.state.position + 1) continue
    const isLast = index === parts.length - 1
    const known = isLast ? undefined : knownSummary(folder, part.number, part.limit - 1, seed)
    const first = known?.first ?? whole.find(({ number }) => number === part.number)!.first
    const expected = isFirst ? base.state.position + 1 : first
    if (first > expected)
      throw damaged(`the segments begin with record ${first}, and those from ${expected} on are missing`)
    isFirst = false
    if (known !== undefined) {
      store.add(known)
      take(known)
      continue
    }
    const read = withFile(folder, segmentName(part.number), file => readSegment(file, part.number, part.limit, seed))
    if (read === undefined) throw damaged(`the header of ${segmentName(part.number)} is not what was written`)
    const summary = read.index.summary(read.number, read.length)
    // It is folded; only its removal was not durable.
    if (summary.last <= base.state.position) continue
    take(summary)
    state = read.state
    // What is being folded does not grow any more.
    if (!isLast || summary.last <= (base.folding ?? 0)) {
      store.add(summary)
      tryTo(() => writeIndex(folder, read.index, summary, seed))
      continue
    }
    const file = folder.open(segmentName(part.number), 'write')
    store.current = { number: part.number, file, index: read.index, length: read.length }
    if (file.size > read.length) file.truncate(read.length)
    await file.sync()
  }
  if (last !== undefined && !whole.some(({ number }) => number === last))
    withFile(folder, segmentName(last), file => {
      if (hasLaterCommit(file, 0, state.position + 1, seed))
        throw damaged(`the header of ${segmentName(last)} is not what was written`)
    })
  const live = new Set([...store.sealed.map(({ number }) => number), store.current?.number])
  for (const number of numbers) if (!live.has(number)) dead.push(number)
  for (const number of dead) folder.remove(segmentName(number))
  for (const name of files) {
    const number = numberOf(name, 'idx')
    if (number !== undefined && (!live.has(number) || number === store.current?.number)) folder.remove(name)
  }
  await folder.sync()
  return { store, state, rewinds, points, nextNumber: (last ?? 0) + 1 }
}

const pointOf = ({ position, time, settled }: StateSnapshot): Point => ({
  position,
  time: settled?.position === position ? settled.time : time,
})

function headerOf(file: OpenFile, number: number, seed: number): { number: number; first: number }[] {
  const header = readSegmentHeader(file, number, seed)
  return header === undefined ? [] : [{ number, first: header.first }]
}

/** What the index of a sealed segment says, if it is whole and fits to the segment. */
function knownSummary(folder: Folder, number: number, last: number, seed: number): SegmentSummary | undefined {
  if (!folder.list().includes(indexName(number))) return
  const summary = withFile(folder, indexName(number), file => readSummary(file, number, seed)?.summary)
  if (summary?.last !== last) return
  const size = withFile(folder, segmentName(number), file => file.size)
  if (size < summary.length) throw damaged(`${segmentName(number)} is shorter than what was written`)
  return summary
}

function withFile<T>(folder: Folder, name: string, use: (file: OpenFile) => T): T {
  const file = folder.open(name, 'read')
  try {
    return use(file)
  } finally {
    file.close()
  }
}

function tryTo(action: () => void): void {
  try {
    action()
  } catch {
    // An index that is not there is made when it is asked for.
  }
}

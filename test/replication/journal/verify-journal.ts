import assert from 'node:assert/strict'
import type { GroupJournal } from '#xenlight/replication/journal/group-journal.js'
import type { JournalView } from '#xenlight/replication/journal/journal-view.js'
import { granuleSize } from '#xenlight/replication/wire/message.js'
import type { Random } from '../../support/random.js'
import { cellSize, lineage, type Moment, offeredAt, recordsBefore } from './journal-model.js'

const wordsOfCell = cellSize / 4

/** Throws where a view does not show a moment. */
export function checkView(view: JournalView, moment: Moment): void {
  assert.equal(view.position, moment.position)
  const byNumber = (a: { number: number }, b: { number: number }) => a.number - b.number
  assert.deepEqual([...view.volumes].sort(byNumber), [...moment.volumes.values()].sort(byNumber))
  for (const [volume, cells] of moment.contents) {
    const bytes = view.read(volume, 0, cells.length * cellSize)
    const words = new Uint32Array(new Uint8Array(bytes).buffer)
    for (let word = 0; word < words.length; word++)
      if (words[word] !== cells[Math.floor(word / wordsOfCell)])
        assert.fail(
          `position ${moment.position}, volume ${volume}, byte ${word * 4}: ${words[word]} instead of ${cells[Math.floor(word / wordsOfCell)]}`,
        )
    let at = 0
    for (const { length, zero, hole } of view.blockStatus(volume, 0, bytes.length)) {
      assert.equal(zero, hole)
      if (zero)
        assert.ok(
          bytes.subarray(at, at + length).every(byte => byte === 0),
          'what is called zero is zero',
        )
      at += length
    }
    assert.equal(at, bytes.length)
  }
}

/** Throws where a journal does not offer, by whatever way it is asked, the points of a moment that its history begins to offer with. */
export async function checkJournal(journal: GroupJournal, head: Moment, random: Random, views: number): Promise<void> {
  assert.equal(journal.last.position, head.position)
  assert.equal(journal.last.isSettled, head.isSettled)
  const { since: _, ...stream } = head.stream ?? {}
  assert.deepEqual(journal.stream, head.stream && stream)
  const ranges = journal.history()
  const low = ranges[0]?.from.position ?? Number.POSITIVE_INFINITY
  const all = offeredAt(head)
  const offered = all.filter(({ position }) => position >= low)
  assert.deepEqual(journal.last.settled, all.at(-1) && { position: all.at(-1)!.position, time: all.at(-1)!.time })
  if (all.length > 0) assert.ok(offered.length > 0, 'the newest point is always kept')
  checkRanges(ranges, head, offered)
  for (let n = 0; n < 5; n++) {
    const time = random.int(head.time + 1_000_000)
    const expected = offered.findLast(one => one.time <= time)?.position
    const found = attempt(() => journal.positionAt(time))
    assert.equal(found, expected ?? 'no-such-point', `as of ${time}`)
  }
  checkNames(journal, head, low)
  checkEvery(journal, offered)
  checkChanges(journal, head, low, random)
  const toView = offered.length <= views ? offered : Array.from({ length: views }, () => random.pick(offered))
  for (const moment of toView) {
    using view = await journal.view(moment.position)
    checkView(view, moment)
  }
  using newest = await journal.view(head.position, { unsettled: true })
  checkView(newest, head)
  const isOffered = new Set(offered.map(({ position }) => position))
  const notOffered = [...recordsBefore(head)].filter(({ position }) => !isOffered.has(position))
  for (let n = 0; n < Math.min(5, notOffered.length); n++)
    await assert.rejects(journal.view(random.pick(notOffered).position), { code: 'no-such-point' })
}

function attempt(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    return Object(error).code
  }
}

type Ranges = ReturnType<GroupJournal['history']>

/** All points are in a range, and nothing that was undone, and what was not settled is between two. */
function checkRanges(ranges: Ranges, head: Moment, offered: readonly Moment[]): void {
  const points = new Map(offered.map(({ position, time }) => [position, time]))
  for (const { from, to } of ranges)
    for (const { position, time } of [from, to])
      assert.equal(points.get(position), time, `range ${JSON.stringify(ranges)}`)
  const rangeOf = (position: number) =>
    ranges.findIndex(({ from, to }) => from.position <= position && position <= to.position)
  for (const { position } of offered)
    assert.notEqual(rangeOf(position), -1, `position ${position} in ${JSON.stringify(ranges)}`)
  const alive = new Set([...lineage(head)].map(({ position }) => position))
  for (const one of recordsBefore(head)) {
    const isWrong = !alive.has(one.position) || (!one.isSettled && one.position > 0)
    if (isWrong) assert.equal(rangeOf(one.position), -1, `position ${one.position} in ${JSON.stringify(ranges)}`)
  }
  for (const [index, range] of ranges.entries())
    assert.ok(index === 0 || ranges[index - 1]!.to.position < range.from.position)
}

function checkNames(journal: GroupJournal, head: Moment, low: number): void {
  const alive = new Set(lineage(head))
  const expected = new Map<string, Moment>()
  for (const { names } of recordsBefore(head))
    if (names !== undefined && names.moment.position >= low && alive.has(names.moment) && !expected.has(names.name))
      expected.set(names.name, names.moment)
  for (let n = 0; n < 8; n++)
    for (const name of [`p${n}`, `n${n}`]) {
      const moment = expected.get(name)
      const found = attempt(() => journal.findPoint(name))
      assert.deepEqual(found, moment ? { position: moment.position, time: moment.time } : 'not-found', name)
    }
  const names = [...journal.points()].map(({ name }) => name).sort()
  assert.deepEqual(names, [...expected.keys()].sort())
}

function checkEvery(journal: GroupJournal, offered: readonly Moment[]): void {
  const every = 1_000_000
  const bucket = ({ time }: { time: number }) => Math.floor(time / every)
  const expected = offered.filter((one, index) => {
    const next = offered[index + 1]
    return next === undefined || bucket(next) !== bucket(one)
  })
  const found = new Set([...journal.points({ every })].map(({ position }) => position))
  for (const { position } of expected) assert.ok(found.has(position), `a point of each second: ${position}`)
}

/** The granules of all records behind a position; behind one that was undone, of all behind the last one that was not. */
function checkChanges(journal: GroupJournal, head: Moment, low: number, random: Random): void {
  const all = [...recordsBefore(head)].filter(({ position }) => position >= low)
  if (all.length === 0 || head.volumes.size === 0) return
  const alive = new Set(lineage(head))
  for (let n = 0; n < 3; n++) {
    let since = random.pick(all)
    const asked = since.position
    while (!alive.has(since)) since = since.parent!
    if (since.position < low) continue
    const volume = random.pick([...head.volumes.keys()])
    const granules = new Set<number>()
    for (const { position, written } of recordsBefore(head)) {
      if (position <= since.position || written?.volume !== volume) continue
      const end = Math.min(written.end, head.volumes.get(volume)!.size)
      for (let at = Math.floor(written.start / granuleSize); at * granuleSize < end; at++) granules.add(at)
    }
    const found = [...journal.changedSince(asked, volume)]
    const size = head.volumes.get(volume)!.size
    const inRuns = new Set<number>()
    for (const { offset, length } of found) {
      assert.ok(offset % granuleSize === 0 && (offset + length === size || length % granuleSize === 0))
      for (let at = offset; at < offset + length; at += granuleSize) inRuns.add(at / granuleSize)
    }
    const sorted = (set: Set<number>) => [...set].sort((a, b) => a - b)
    assert.deepEqual(sorted(inRuns), sorted(granules), `changed since ${asked}`)
  }
}

import { pageText } from './page-text.js'

/** A part of a QEMU's block layer: a device or an export, a job, or a node with its driver. */
export interface GraphPart {
  id: number
  kind: 'device' | 'job' | 'node'
  name: string
  driver?: string | undefined
  /** What it has open; empty where that is nothing, or no path. */
  file?: string | undefined
  bitmaps?: readonly string[] | undefined
}

export interface BlockParts {
  nodes: readonly GraphPart[]
  /** From who reads to what is read. */
  edges: readonly { from: number; to: number; role: string }[]
}

/** A box: rows go down from 0, columns to the right from 0 and may be halves. */
export interface Box {
  id: number
  kind: GraphPart['kind']
  title: string
  lines: readonly string[]
  row: number
  column: number
}

/** A block graph with places for its boxes: each stands below all that read it, and no two overlap. */
export interface LayeredGraph {
  boxes: readonly Box[]
  edges: readonly { from: number; to: number; role: string }[]
  rows: number
  columns: number
  /** How many parts are left out. */
  more: number
}

/** How many boxes there are, and edges. */
const boxesAtMost = 120
const edgesAtMost = 400

export function layeredGraph({ nodes, edges }: BlockParts): LayeredGraph {
  const shown = nodes.slice(0, boxesAtMost)
  const ids = new Set(shown.map(({ id }) => id))
  const known = edges.filter(({ from, to }) => ids.has(from) && ids.has(to) && from !== to).slice(0, edgesAtMost)
  const below = new Map(shown.map(({ id }) => [id, [] as number[]]))
  for (const { from, to } of known) below.get(from)!.push(to)
  const read = new Set(known.map(({ to }) => to))
  // a circle has no beginning: it is drawn from the first of it on
  const first = shown.filter(({ id }) => !read.has(id)).toSorted((one, other) => rankOf(one) - rankOf(other))
  const ordered = [...first, ...shown].map(({ id }) => id)
  const rows = rowsOf(ordered, withoutCircles(ordered, below))
  const { columns, count } = columnsOf(ordered, below)
  return {
    boxes: shown.map(part => ({ ...boxOf(part), row: rows.get(part.id)!, column: columns.get(part.id)! })),
    edges: known.map(({ from, to, role }) => ({ from, to, role: pageText(role, 40) })),
    rows: Math.max(0, ...rows.values()) + 1,
    columns: count,
    more: nodes.length - shown.length,
  }
}

/** The guest's devices stand on the left: theirs is what it is about. */
const rankOf = ({ kind, name }: GraphPart): number =>
  kind === 'device' ? (name === '' ? 1 : 0) : kind === 'job' ? 2 : 3

type Below = ReadonlyMap<number, readonly number[]>

/** What each reads, without what would lead back to it. */
function withoutCircles(ids: readonly number[], below: Below): Below {
  const kept = new Map<number, number[]>()
  const above = new Set<number>()
  const visit = (id: number): void => {
    if (kept.has(id)) return
    const own: number[] = []
    kept.set(id, own)
    above.add(id)
    for (const child of below.get(id)!) {
      if (above.has(child)) continue
      own.push(child)
      visit(child)
    }
    above.delete(id)
  }
  for (const id of ids) visit(id)
  return kept
}

/** The longest way from above to each, where nothing goes round in a circle. */
function rowsOf(ids: readonly number[], below: Below): Map<number, number> {
  const rows = new Map(ids.map(id => [id, 0]))
  for (let isDone = false; !isDone; ) {
    isDone = true
    for (const [id, children] of below)
      for (const child of children) {
        const row = rows.get(id)! + 1
        if (rows.get(child)! >= row) continue
        rows.set(child, row)
        isDone = false
      }
  }
  return rows
}

/** What reads nothing, or nothing new, has a column of its own; all else stands in the middle above what it reads. */
function columnsOf(ids: readonly number[], below: Below): { columns: Map<number, number>; count: number } {
  const columns = new Map<number, number>()
  const begun = new Set<number>()
  let count = 0
  const place = (id: number): number => {
    begun.add(id)
    const places: number[] = []
    for (const child of below.get(id)!) if (!begun.has(child)) places.push(place(child))
    const column = places.length === 0 ? count++ : (places[0]! + places.at(-1)!) / 2
    columns.set(id, column)
    return column
  }
  for (const id of ids) if (!begun.has(id)) place(id)
  return { columns, count: Math.max(1, count) }
}

function boxOf({
  id,
  kind,
  name,
  driver,
  file = '',
  bitmaps = [],
}: GraphPart): Pick<Box, 'id' | 'kind' | 'title' | 'lines'> {
  // of a path in QEMU's tree of objects the end says which device it is
  const own = kind === 'device' ? name.split('/').slice(-2).join('/') : name
  const title = pageText(own === '' ? 'without a name' : own, 60)
  const lines = [
    ...(driver === undefined ? [] : [pageText(driver, 40)]),
    ...(file === '' ? [] : [pageText(file.split('/').at(-1) || file, 60)]),
    ...(bitmaps.length === 0
      ? []
      : [`${bitmaps.length === 1 ? 'bitmap' : 'bitmaps'} ${pageText(bitmaps.join(', '), 60)}`]),
  ]
  return { id, kind, title, lines }
}

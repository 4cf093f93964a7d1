import { html, svg } from './element.js'

/**
 * @typedef {{ id: number, kind: 'device' | 'job' | 'node', title: string, lines: readonly string[], row: number, column: number }} Box
 * @typedef {{ boxes: readonly Box[], edges: readonly { from: number, to: number, role: string }[], rows: number, columns: number, more: number }} Graph
 */

const box = { width: 162, height: 60 }
const gap = { x: 14, y: 42 }
const margin = 6
/** How small a drawing may become before it has to be scrolled. */
const smallest = 0.8

/**
 * A block graph: who reads stands above what is read.
 *
 * @param {Graph} graph
 * @param {string} title
 */
export function graph({ boxes, edges, rows, columns, more }, title) {
  const size = {
    width: columns * (box.width + gap.x) - gap.x + 2 * margin,
    height: rows * (box.height + gap.y) - gap.y + 2 * margin,
  }
  /** @param {Box} one */
  const place = ({ row, column }) => ({
    x: margin + column * (box.width + gap.x),
    y: margin + row * (box.height + gap.y),
  })
  const byId = new Map(boxes.map(one => [one.id, one]))
  const drawing = svg('svg', {
    viewBox: `0 0 ${size.width} ${size.height}`,
    width: size.width,
    height: size.height,
    role: 'img',
    'aria-label': `${title}: ${words(boxes, edges, byId)}`,
  })
  drawing.style.minWidth = `${Math.round(size.width * smallest)}px`
  const roles = []
  const ends = endsOf(edges, byId)
  for (const [index, { from, to, role }] of edges.entries()) {
    const [upper, lower] = [byId.get(from), byId.get(to)]
    const end = ends.get(index)
    if (upper === undefined || lower === undefined || end === undefined) continue
    const [a, b] = [place(upper), place(lower)]
    const [x, y] = [a.x + box.width / 2, a.y + box.height]
    const endX = b.x + box.width * end.share
    // what goes far goes down first, where its own column is empty
    const turn = b.y - gap.y
    drawing.append(
      svg('path', { class: 'edge', d: `M${x} ${y}V${turn}C${x} ${turn + 24} ${endX} ${b.y - 24} ${endX} ${b.y}` }),
    )
    roles.push(svg('text', { class: 'role', x: endX + 4, y: b.y - 5 - 11 * (end.index % 3) }, role))
  }
  for (const one of boxes) {
    const { x, y } = place(one)
    const lines = one.kind === 'node' ? one.lines : [one.kind === 'job' ? 'job' : 'device or export']
    const group = svg('g', { class: `box ${one.kind}`, transform: `translate(${x} ${y})` })
    // what is too long ends at the box
    const inside = svg('svg', { width: box.width - 4, height: box.height })
    inside.append(svg('text', { class: 'box-title', x: 9, y: 19 }, one.title))
    for (const [index, line] of lines.slice(0, 2).entries())
      inside.append(svg('text', { class: 'box-line', x: 9, y: 35 + index * 15 }, line))
    group.append(
      svg('title', {}, [one.title, ...one.lines].join('\n')),
      svg('rect', { width: box.width, height: box.height, rx: 5 }),
      inside,
    )
    drawing.append(group)
  }
  drawing.append(...roles)
  const scroller = html('div', { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': title }, drawing)
  return html(
    'div',
    { class: 'graph' },
    scroller,
    more > 0 && html('p', { class: 'note' }, `${more} more are not drawn`),
  )
}

/**
 * Where each edge ends on its box, side by side in the order of where they come from.
 *
 * @param {readonly { from: number, to: number }[]} edges
 * @param {ReadonlyMap<number, Box>} byId
 * @returns {Map<number, { index: number, share: number }>}
 */
function endsOf(edges, byId) {
  /** @type {Map<number, { edge: number, column: number }[]>} */
  const into = new Map()
  for (const [edge, { from, to }] of edges.entries()) {
    const list = into.get(to) ?? []
    list.push({ edge, column: byId.get(from)?.column ?? 0 })
    into.set(to, list)
  }
  const ends = new Map()
  for (const list of into.values())
    for (const [index, { edge }] of list.toSorted((a, b) => a.column - b.column).entries())
      ends.set(edge, { index, share: (index + 1) / (list.length + 1) })
  return ends
}

/**
 * The graph in words, for who cannot see it.
 *
 * @param {readonly Box[]} boxes
 * @param {readonly { from: number, to: number, role: string }[]} edges
 * @param {ReadonlyMap<number, Box>} byId
 */
const words = (boxes, edges, byId) =>
  `${boxes.length} parts. ${edges
    .slice(0, 40)
    .map(({ from, to, role }) => `${byId.get(from)?.title} reads ${byId.get(to)?.title} as ${role}`)
    .join('. ')}`

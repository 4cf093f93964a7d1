import { printable } from '../../printable.js'

export interface TextGraph {
  nodes: readonly { id: number; label: string }[]
  /** From who reads to what is read. */
  edges: readonly { from: number; to: number; role: string }[]
}

/**
 * A graph as an indented text: below each node what it stands on, and as what. What several stand on is drawn below the first; of the
 * others a mark says that it is above.
 */
export function drawGraph({ nodes, edges }: TextGraph): string[] {
  const labels = new Map(nodes.map(({ id, label }) => [id, printable(label)]))
  const below = new Set(edges.map(({ to }) => to))
  const drawn = new Set<number>()
  const lines: string[] = []
  const draw = (id: number, first: string, rest: string): void => {
    const again = drawn.has(id)
    lines.push(`${first}${labels.get(id) ?? '?'}${again ? ' (see above)' : ''}`)
    if (again) return
    drawn.add(id)
    const children = edges.filter(({ from, to }) => from === id && labels.has(to))
    for (const [index, { to, role }] of children.entries()) {
      const isLast = index === children.length - 1
      draw(to, `${rest}${isLast ? '└─' : '├─'} ${printable(role)}: `, `${rest}${isLast ? '   ' : '│  '}`)
    }
  }
  for (const { id } of nodes) if (!below.has(id)) draw(id, '', '')
  // a circle has no beginning
  for (const { id } of nodes) if (!drawn.has(id)) draw(id, '', '')
  return lines
}

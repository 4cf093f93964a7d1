import * as fc from 'fast-check'
import t from 'tap'
import { type GraphPart, layeredGraph } from '#xenlight/page/layered-graph.js'
import { hostile, primaryGraph, secondaryGraph } from './shown.js'

const places = (graph: ReturnType<typeof layeredGraph>) =>
  Object.fromEntries(graph.boxes.map(({ title, row, column }) => [title, [row, column]]))

t.test('who reads stands above what is read', t => {
  const primary = layeredGraph(primaryGraph)
  t.match(places(primary), {
    'virtio0/virtio-backend': [0, 0.5],
    disk0: [1, 0.5],
    'disk0-image': [2, 0],
    'xl-12-replica-disk0': [2, 1],
    'xl-12-nbd-disk1': [3, 3],
  })
  t.match(primary, { rows: 4, columns: 4, more: 0 })
  t.match(primary.boxes[2], { kind: 'node', lines: ['raw', 'bitmap xenlight-12'] })
  t.match(primary.boxes[3], { lines: ['file', 'web-root.img'] }, 'of a path its end')
  const secondary = layeredGraph(secondaryGraph)
  t.match(places(secondary), { 'disk0-image': [5, 0], 'xl-12-disk0': [0, 1], 'xl-backup-disk0': [0, 2] })
  const unread = layeredGraph({
    nodes: [
      { id: 1, kind: 'node', name: 'unused' },
      { id: 2, kind: 'job', name: 'job' },
      { id: 3, kind: 'device', name: '' },
      { id: 4, kind: 'device', name: 'ide0' },
    ],
    edges: [],
  })
  t.match(places(unread), { ide0: [0, 0], 'without a name': [0, 1], job: [0, 2], unused: [0, 3] }, 'devices first')
  t.end()
})

t.test('any graph, with circles: no two boxes overlap, and edges go down where there is no circle', t => {
  const graphs = fc.integer({ min: 0, max: 12 }).chain(count =>
    fc.record({
      count: fc.constant(count),
      edges: fc.array(fc.record({ from: fc.nat(12), to: fc.nat(12) }), { maxLength: 30 }),
      isTree: fc.boolean(),
    }),
  )
  fc.assert(
    fc.property(graphs, ({ count, edges, isTree }) => {
      const nodes = Array.from({ length: count }, (_, id): GraphPart => ({ id, kind: 'node', name: `n${id}` }))
      const used = edges.filter(({ from, to }) => !isTree || from < to).map(edge => ({ ...edge, role: 'file' }))
      const { boxes, edges: drawn, rows, columns } = layeredGraph({ nodes, edges: used })
      const cells = new Set(boxes.map(({ row, column }) => `${row}/${column}`))
      if (cells.size !== count) return false
      for (const one of boxes) {
        if (one.row >= rows || one.column > columns - 1 || one.column < 0) return false
        for (const other of boxes)
          if (one !== other && one.row === other.row && Math.abs(one.column - other.column) < 1) return false
      }
      const row = new Map(boxes.map(box => [box.id, box.row]))
      return !isTree || drawn.every(({ from, to }) => row.get(from)! < row.get(to)!)
    }),
    { numRuns: 2000 },
  )
  t.end()
})

t.test('a graph of any size and any names becomes one that can be shown', t => {
  const nodes = Array.from({ length: 5000 }, (_, id): GraphPart => ({ id, kind: 'device', name: 'x'.repeat(10_000) }))
  const edges = nodes.flatMap(({ id }) => [1, 2, 3].map(to => ({ from: id, to, role: 'y'.repeat(1000) })))
  const graph = layeredGraph({ nodes, edges })
  t.equal(graph.boxes.length + graph.more, 5000)
  t.ok(JSON.stringify(graph).length < 100_000, `${JSON.stringify(graph).length}`)
  const [box] = layeredGraph({ nodes: [{ id: 1, kind: 'node', name: `${hostile}\u202e\n` }], edges: [] }).boxes
  t.notMatch(box!.title, /[\u202e\n]/)
  t.strictSame(layeredGraph({ nodes: [], edges: [{ from: 1, to: 2, role: '' }] }), {
    ...{ boxes: [], edges: [], rows: 1, columns: 1, more: 0 },
  })
  t.end()
})

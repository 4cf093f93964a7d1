import type { Qemu } from '../../real/qemu.js'

/** A node of QEMU's block graph, with all below it. */
export interface BlockNode {
  driver: string
  readOnly: boolean
  /** The host's cache is bypassed. */
  direct: boolean
  /** The guest's flushes are ignored. */
  noFlush: boolean
  /** What a node without children opens: a path, or an NBD server's URL. */
  file?: string
  /** By QEMU's names of the edges. */
  children?: Record<string, BlockNode>
}

/** A drive that the guest sees. */
export interface GuestDrive {
  /** QEMU's names of the device and its bus, and the number on that: `ide-hd ide.1/0`. */
  place: string
  /** The guest sees a write cache; undefined without a medium. */
  writeback?: boolean
  medium?: BlockNode
}

export interface ShownBlocks {
  /** Sorted by place. */
  drives: GuestDrive[]
  /** The nodes that go by the names asked for, either a drive's or their own, as a QMP command finds them. */
  named: Record<string, BlockNode | undefined>
}

/** What QEMU itself says of its drives and of the nodes that go by some names. */
export async function shownBlocks(qemu: Qemu, names: readonly string[]): Promise<ShownBlocks> {
  const [drives, nodes, graph] = await Promise.all([
    qemu.qmp<QueryBlock[]>('query-block'),
    qemu.qmp<NamedNode[]>('query-named-block-nodes', { flat: true }),
    qemu.qmp<Graph>('x-debug-query-block-graph'),
  ])
  const infoOf = new Map(nodes.map(node => [node['node-name'], node]))
  const idOf = new Map(graph.nodes.filter(({ type }) => type === 'block-driver').map(({ name, id }) => [name, id]))
  const nameOf = new Map([...idOf].map(([name, id]) => [id, name]))

  function blockNode(name: string): BlockNode {
    const { drv: driver, ro: readOnly, cache, file } = infoOf.get(name)!
    const edges = graph.edges.filter(({ parent }) => parent === idOf.get(name))
    const node = { driver, readOnly, direct: cache.direct, noFlush: cache['no-flush'] }
    if (edges.length === 0) return { ...node, file }
    const children = edges.map(({ name: edge, child }) => [edge, blockNode(nameOf.get(child)!)] as const)
    return { ...node, children: Object.fromEntries(children.sort(([a], [b]) => (a < b ? -1 : 1))) }
  }
  async function guestDrive({ qdev, inserted }: QueryBlock & { qdev: string }): Promise<GuestDrive> {
    const place = await placeOf(qemu, qdev)
    if (inserted === undefined) return { place }
    return { place, writeback: inserted.cache.writeback, medium: blockNode(inserted['node-name']) }
  }

  const attached = drives.filter(drive => drive.qdev !== undefined) as (QueryBlock & { qdev: string })[]
  const shown = await Promise.all(attached.map(guestDrive))
  const nodeNamed = (name: string): BlockNode | undefined => {
    const top = drives.find(({ device }) => device === name)?.inserted?.['node-name'] ?? name
    return infoOf.has(top) ? blockNode(top) : undefined
  }
  return {
    drives: shown.sort((a, b) => (a.place < b.place ? -1 : 1)),
    named: Object.fromEntries(names.map(name => [name, nodeNamed(name)])),
  }
}

/** All nodes below drives, and themselves. */
export const nodesOf = ({ drives }: ShownBlocks): BlockNode[] =>
  drives.flatMap(({ medium }) => (medium ? flat(medium) : []))

const flat = (node: BlockNode): BlockNode[] => [node, ...Object.values(node.children ?? {}).flatMap(flat)]

async function placeOf(qemu: Qemu, path: string): Promise<string> {
  const get = (property: string) => qemu.qmp<string>('qom-get', { path, property })
  const type = await get('type')
  const [bus, unit] = await Promise.all([get('parent_bus'), get(type === 'scsi-hd' ? 'scsi-id' : 'unit')])
  const busName = bus.slice(bus.lastIndexOf('/') + 1)
  return `${type} ${type === 'scsi-hd' ? 'scsi' : busName}/${unit}`
}

interface Cache {
  writeback: boolean
  direct: boolean
  'no-flush': boolean
}

interface QueryBlock {
  device: string
  qdev?: string
  inserted?: { 'node-name': string; cache: Cache }
}

interface NamedNode {
  'node-name': string
  drv: string
  ro: boolean
  file: string
  cache: Cache
}

interface Graph {
  nodes: { id: number; name: string; type: string }[]
  edges: { parent: number; child: number; name: string }[]
}

import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { Blockdev } from '../blockdev/blockdev.js'
import type { GuestDevice } from '../blockdev/guest-device.js'
import { type BlockdevOptions, type PlannedDisk, planDisks } from '../blockdev/plan-disks.js'
import type { BlockGraph, BlockGraphEdge, BlockGraphKind } from './block-graph.js'

type Child = [role: BlockGraphEdge['role'], node: Blockdev | string]

/**
 * The block graph that QEMU builds for a guest's disks: from each device down to the files. Dependent on COLO's role,
 * with what its start adds: the primary's way to the secondary's NBD server, or that server.
 *
 * @throws what `buildBlockdevArgs` throws
 */
export function buildBlockGraph(disks: readonly ResolvedDisk[], options: BlockdevOptions): BlockGraph {
  const { planned, warnings } = planDisks(disks, options)
  const graph: BlockGraph = { nodes: [], edges: [], warnings }
  for (const disk of planned) addDisk(graph, disk)
  return graph
}

function addDisk(graph: BlockGraph, { disk, role, nodes, device }: PlannedDisk): void {
  const id = `device/${device.id}`
  graph.nodes.push({ id, kind: 'device', label: deviceLabel(disk, device) })
  const top = nodes.at(-1)
  if (top !== undefined) graph.edges.push({ from: id, to: idOf(top), role: 'drive' })
  for (const node of nodes.toReversed()) addNode(graph, node)
  if (role === 'primary') addReplica(graph, disk)
  if (role === 'secondary') addServer(graph, disk)
}

function addNode(graph: BlockGraph, node: Blockdev): void {
  const id = idOf(node)
  graph.nodes.push({ id, kind: kindOf(node), label: nodeLabel(node) })
  for (const [role, child] of childrenOf(node)) {
    graph.edges.push({ from: id, to: idOf(child), role })
    if (typeof child !== 'string') addNode(graph, child)
  }
}

function childrenOf({ children, file, backing }: Blockdev): Child[] {
  const found: Child[] = []
  if (children?.[0] !== undefined) found.push(['children.0', children[0]])
  if (file !== undefined) found.push(['file', file])
  if (backing !== undefined) found.push(['backing', backing])
  return found
}

/** The primary's second child, which sends what the guest writes to the other host. */
function addReplica(graph: BlockGraph, disk: ResolvedDisk): void {
  const top = disk.coloExport!
  const replication = `replication/${top}`
  const client = `client/${top}`
  graph.nodes.push({ id: replication, kind: 'replication', label: ['replication', 'mode=primary'] })
  graph.nodes.push({ id: client, kind: 'protocol', label: ['nbd', addressOf(disk), `export ${top}`] })
  graph.edges.push({ from: idOf(top), to: replication, role: 'children.1', later: true })
  graph.edges.push({ from: replication, to: client, role: 'file', later: true })
}

/** The secondary's one server, through which the primary writes. */
function addServer(graph: BlockGraph, disk: ResolvedDisk): void {
  const id = 'server'
  const shared = graph.nodes.find(node => node.id === id)
  const line = `export ${disk.coloExport}`
  if (shared === undefined) graph.nodes.push({ id, kind: 'server', label: ['NBD server', addressOf(disk), line] })
  else shared.label.push(line)
  graph.edges.push({ from: id, to: idOf(disk.coloExport!), role: 'export', later: true })
}

const idOf = (node: Blockdev | string): string => `node/${typeof node === 'string' ? node : node['node-name']}`

function kindOf({ driver, file, backing }: Blockdev): BlockGraphKind {
  if (driver === 'quorum' || driver === 'replication') return driver
  return file === undefined && backing === undefined ? 'protocol' : 'format'
}

function deviceLabel(disk: ResolvedDisk, { driver, id, properties }: GuestDevice): string[] {
  const { bus, drive, 'scsi-id': scsiId, unit } = properties
  const place = scsiId === undefined ? `${bus} unit ${unit}` : `${bus} id ${scsiId}`
  return [`${driver} ${id}`, `${disk.vdev} on ${place}`, ...(drive === undefined ? ['no medium'] : [])]
}

function nodeLabel(node: Blockdev): string[] {
  const { filename, server, export: exported, mode } = node
  return [
    `${node.driver} ${node['node-name']}`,
    ...(filename === undefined ? [] : [filename]),
    ...(server === undefined ? [] : [server.path]),
    ...(exported === undefined ? [] : [`export ${exported}`]),
    ...(mode === undefined ? [] : [`mode=${mode}`]),
    ...(node['read-only'] ? ['read-only'] : []),
  ]
}

const addressOf = ({ coloHost, coloPort }: ResolvedDisk): string =>
  `${coloHost?.includes(':') ? `[${coloHost}]` : coloHost}:${coloPort}`

import type { Limits } from '../link/limits.js'
import { queryBlockExports } from '../qmp/commands/block-export.js'
import { guestDevices } from '../qmp/commands/guest-devices.js'
import { queryBlockGraph } from '../qmp/commands/query-block-graph.js'
import type { Qmp } from '../qmp/qmp.js'
import { type BlockView, viewBlocks } from './block-view.js'
import { checkLimited } from './check-limits.js'
import { checkQmp } from './check-side.js'
import { isOurNode, quorumNode, topNode } from './node-names.js'
import { primaryState } from './primary-state.js'
import { secondaryState } from './secondary-state.js'

/**
 * The names of the disks in a QEMU that were made for COLO, as either side's, in the order of the alphabet. One whose graph was rebuilt may
 * have lost its name there, and has to be named by the caller.
 */
export async function findDisks(qmp: Qmp, limits: Limits = {}): Promise<string[]> {
  checkQmp('qmp', qmp)
  checkLimited(limits)
  const [{ nodes }, view] = await Promise.all([qmp.run(queryBlockGraph, undefined, limits), viewBlocks(qmp, limits)])
  const exports = await qmp.run(queryBlockExports, undefined, limits)
  const devices = await qmp.run(guestDevices, undefined, limits)
  const exported = new Set(exports.map(({ id }) => id))
  const paths = new Set(devices.map(({ path }) => path))
  const named = nodes.filter(({ name }) => name !== '' && !/^[#/]/.test(name) && !isOurNode(name))
  const names = named.flatMap(({ name, kind }) => {
    if (kind !== 'block-backend') return [name]
    const ownName = view.disk(name)?.nodeName.startsWith('#') === false
    // an export, or a device that stands on a node with a name of its own, is no drive
    return exported.has(name) || (ownName && paths.has(`/machine/peripheral/${name}`)) ? [] : [name]
  })
  const overlays = overlaysAmong(view, names)
  return [...new Set(names)].filter(name => isDisk(view, name, overlays)).sort()
}

function isDisk(view: BlockView, name: string, overlays: ReadonlySet<string>): boolean {
  // rebuilt, and named so by us
  if (view.node(quorumNode(name)) !== undefined || view.node(topNode(name)) !== undefined) return true
  const node = view.disk(name)
  if (node === undefined || isOurNode(node.nodeName) || overlays.has(node.nodeName)) return false
  if (node.driver === 'quorum') return primaryState(view, name).kind !== 'no-quorum'
  const state = secondaryState(view, name)
  if (state.kind === 'missing') return false
  return state.image.id === node.id || (state.kind === 'replicating' && state.door.id === node.id)
}

/** Overlays stand below a replication node as a disk that was taken over does. */
function overlaysAmong(view: BlockView, names: readonly string[]): Set<string> {
  const states = names.map(name => secondaryState(view, name))
  const overlays = states.flatMap(state => ('overlays' in state ? [state.overlays.active, state.overlays.hidden] : []))
  return new Set(overlays.map(({ nodeName }) => nodeName))
}

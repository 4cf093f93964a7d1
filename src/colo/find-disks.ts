import type { Limits } from '../link/limits.js'
import { queryBlockExports } from '../qmp/commands/block-export.js'
import { queryBlockGraph } from '../qmp/commands/query-block-graph.js'
import type { Qmp } from '../qmp/qmp.js'
import { viewBlocks } from './block-view.js'
import { isOurNode } from './node-names.js'
import { primaryState } from './primary-state.js'
import { secondaryState } from './secondary-state.js'

/**
 * The names of the disks in a QEMU that were made for COLO, as either side's, in the order of the alphabet. One whose graph was rebuilt has
 * lost its name there, and has to be named by the caller.
 */
export async function findDisks(qmp: Qmp, limits: Limits = {}): Promise<string[]> {
  const [{ nodes }, view] = await Promise.all([qmp.run(queryBlockGraph, undefined, limits), viewBlocks(qmp, limits)])
  const exports = await qmp.run(queryBlockExports, undefined, limits)
  const exported = new Set(exports.map(({ id }) => id))
  const names = nodes.flatMap(({ name, kind }) => {
    if (name === '' || /^[#/]/.test(name) || isOurNode(name)) return []
    if (kind === 'block-backend' && exported.has(name)) return []
    const node = view.disk(name)
    if (node === undefined) return []
    const isPrimary = node.driver === 'quorum' && primaryState(view, name).kind !== 'no-quorum'
    const secondary = secondaryState(view, name)
    const isImage = 'image' in secondary && secondary.image.id === node.id
    return isPrimary || isImage ? [name] : []
  })
  return [...new Set(names)].sort()
}

import type { Limits } from '../../link/limits.js'
import { type BlockView, viewBlocks } from '../../qmp/block-view.js'
import { queryBlockGraph } from '../../qmp/commands/query-block-graph.js'
import { queryDrives } from '../../qmp/commands/query-drives.js'
import type { Qmp } from '../../qmp/qmp.js'
import { checkLimited } from '../arguments/check-limits.js'
import { checkQmp } from '../arguments/check-side.js'
import { isOurNode, quorumNode, topNode } from './node-names.js'
import { type SecondaryState, secondaryState } from './secondary-state.js'

/**
 * The names of the disks in a QEMU that are COLO's, as either side's, in the order of the alphabet. One of `-drive` that was made a secondary
 * while its QEMU ran has lost its name there: the caller has to know it.
 *
 * @throws QmpError
 */
export async function findDisks(qmp: Qmp, limits: Limits = {}): Promise<string[]> {
  checkQmp('qmp', qmp)
  checkLimited(limits)
  const [{ nodes }, drives, view] = await Promise.all([
    qmp.run(queryBlockGraph, undefined, limits),
    qmp.run(queryDrives, undefined, limits),
    viewBlocks(qmp, limits),
  ])
  const nodeNames = nodes.flatMap(({ kind, name }) => (kind === 'block-driver' && isDisksName(name) ? [name] : []))
  const names = [...new Set([...nodeNames, ...drives.map(({ id }) => id)])].sort()
  const secondaries = names.map(name => ({ name, state: secondaryState(view, name) }))
  const overlays = new Set(secondaries.flatMap(({ state }) => overlaysIn(state)))
  const images = secondaries.filter(({ name, state }) => !overlays.has(name) && isImage(view, name, state))
  const primaries = names.filter(name => isQuorum(view, name))
  return [...new Set([...primaries, ...images.map(({ name }) => name)])].sort()
}

const isDisksName = (name: string): boolean => name !== '' && !name.startsWith('#') && !isOurNode(name)

/** The names of a secondary's own upper nodes. */
function overlaysIn(state: SecondaryState): string[] {
  if (state.kind === 'failed-over') return [state.top]
  if (!('overlays' in state)) return []
  const { top, active, hidden } = state.overlays
  return [top, active.nodeName, hidden.nodeName]
}

/** Whether this is the name of the secondary's image, and not of a node above it. */
function isImage(view: BlockView, name: string, state: SecondaryState): boolean {
  if (state.kind === 'missing') return false
  if (view.node(topNode(name)) !== undefined) return true
  const named = view.disk(name)
  // a drive's id leads to what keeps apart the primary's writes
  return named?.id === state.image.id || (named !== undefined && view.child(named.id, 'file')?.id === state.image.id)
}

function isQuorum(view: BlockView, name: string): boolean {
  if (view.node(quorumNode(name)) !== undefined) return true
  const node = view.disk(name)
  // above a quorum of ours there is a drive's old id too
  return node?.driver === 'quorum' && !isOurNode(node.nodeName)
}

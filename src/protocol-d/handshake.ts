import type { KeptDisk } from './keep/meta-record.js'

/** What a node says of itself when it meets its peer. */
export interface Hello {
  pair: string
  size: number
  blockSize: number
  role: 'primary' | 'secondary'
  /** Of two Primaries, the one that writes. */
  isWriter: boolean
  disk: KeptDisk
  generation: string
  bases: readonly string[]
  history: readonly string[]
  /** Whether it knows of blocks that may differ from the peer's. */
  differs: boolean
  /** Whether what it wrote last is a checkpoint that it did not finish. */
  isUnfinished: boolean
  checkpoint: number
  /** The highest number of a promotion that it has heard of; as Primary that of its own. */
  promotion: number
  /** Its administrator says that its own changes do not count. */
  discards: boolean
  afterSplitBrain: AfterSplitBrain
}

/** Who copies to whom, from one node's point of view. */
export type Verdict =
  /** Both have the same data. */
  | { kind: 'equal' }
  /** This node copies to the other, or the other way round; all blocks, or those that differ. */
  | { kind: 'source' | 'target'; isFull: boolean }
  /** Whichever is promoted first is the source. */
  | { kind: 'undecided'; why: string }
  | { kind: 'refused'; why: string }

/** Why they do not fit where both went on alone. */
export const splitBrain = 'split brain, both went on alone: say on one node that its changes are to be discarded'

/** DRBD's `after-sb-1pri`: what happens where both went on alone, and one of them is Primary. */
export type AfterSplitBrain = 'disconnect' | 'discard-secondary'

/**
 * Who copies to whom, from what both say. Symmetric: with both in the other order, source and target are exchanged. It depends on
 * nothing else, so that an answer can be tried for any two nodes.
 */
export function decide(mine: Hello, its: Hello): Verdict {
  if (mine.pair !== its.pair) return refused('it is a node of another pair')
  if (mine.size !== its.size || mine.blockSize !== its.blockSize) return refused('the disks are not of one size')
  if (isFenced(mine, its) || isFenced(its, mine))
    return refused("the Primary's promotion is over, as a later one was made: demote it")
  const relation = relate(mine, its)
  if (relation.kind !== 'source' && relation.kind !== 'target') return relation
  const [source, target] = relation.kind === 'source' ? [mine, its] : [its, mine]
  if (source.disk !== 'consistent') return refused('the node to copy from has half a copy, or old data')
  if (target.role === 'primary')
    return refused(
      'the data of the Primary is older than that of the other node: demote it, and it is brought up to date',
    )
  return relation
}

/** Whether a later promotion than its own was made: it is no Primary any more, and has not heard of it. */
export const isFenced = (node: Pick<Hello, 'role' | 'promotion'>, { promotion }: Pick<Hello, 'promotion'>): boolean =>
  node.role === 'primary' && node.promotion < promotion

function relate(mine: Hello, its: Hello): Verdict {
  if (mine.generation === '' || its.generation === '') return withNewDisk(mine, its)
  const damaged = byDisk(mine, its)
  if (damaged?.kind === 'refused') return damaged
  if (mine.generation === its.generation) return damaged ?? ofOneGeneration(mine, its)
  const wentOn = its.bases.includes(mine.generation)
  const iWentOn = mine.bases.includes(its.generation)
  // half a copy is of the generation from which its source counted
  if (iWentOn !== wentOn) return (damaged === undefined && bySide(mine, its)) || copy(iWentOn ? 'source' : 'target')
  if (mine.bases.some(base => its.bases.includes(base))) return damaged ?? ofSplitBrain(mine, its)
  const isMineNewer = mine.history.includes(its.generation)
  if (isMineNewer !== its.history.includes(mine.generation)) return copy(isMineNewer ? 'source' : 'target', true)
  if (damaged !== undefined) return { ...damaged, isFull: true }
  return unrelated(mine, its)
}

function withNewDisk(mine: Hello, its: Hello): Verdict {
  if (mine.generation === its.generation)
    return { kind: 'undecided', why: 'both are new: promote the one whose data counts, with force' }
  return copy(mine.generation === '' ? 'target' : 'source', true)
}

/** Half a copy, or old data, is brought up to date from the other node. */
function byDisk(mine: Hello, its: Hello): (Verdict & { kind: 'source' | 'target' | 'refused' }) | undefined {
  const isMineGood = mine.disk === 'consistent'
  const isItsGood = its.disk === 'consistent'
  if (isMineGood && isItsGood) return undefined
  if (isMineGood !== isItsGood) return copy(isMineGood ? 'source' : 'target')
  return refused('neither node has consistent data')
}

function ofOneGeneration(mine: Hello, its: Hello): Verdict {
  if (!mine.differs && !its.differs) return { kind: 'equal' }
  if (mine.role !== its.role) return copy(mine.role === 'primary' ? 'source' : 'target')
  if (mine.differs && its.differs) return bySide(mine, its) ?? undecided('both wrote what the other may not have')
  const [writer] = mine.differs ? [mine] : [its]
  if (writer!.isUnfinished && writer!.role === 'secondary')
    return bySide(mine, its) ?? undecided('the last Primary did not finish its checkpoint')
  return copy(mine.differs ? 'source' : 'target')
}

function ofSplitBrain(mine: Hello, its: Hello): Verdict {
  const bySaid = bySide(mine, its)
  if (bySaid !== undefined) return bySaid
  // one that would have it decided by hand decides for both
  const isAutomatic = [mine, its].every(({ afterSplitBrain }) => afterSplitBrain === 'discard-secondary')
  if (isAutomatic && mine.role !== its.role) return copy(mine.role === 'primary' ? 'source' : 'target')
  return refused(splitBrain)
}

function unrelated(mine: Hello, its: Hello): Verdict {
  const bySaid = bySide(mine, its)
  if (bySaid !== undefined) return { ...bySaid, isFull: true }
  return refused('the data of both nodes has nothing in common: say on one node that its data is to be discarded')
}

/** The node whose administrator says so is the target. */
function bySide(mine: Hello, its: Hello): (Verdict & { kind: 'source' | 'target' }) | undefined {
  if (mine.discards === its.discards) return undefined
  return copy(its.discards ? 'source' : 'target')
}

/** The same from the other node's point of view. */
export function turned(verdict: Verdict): Verdict {
  if (verdict.kind === 'source') return { ...verdict, kind: 'target' }
  return verdict.kind === 'target' ? { ...verdict, kind: 'source' } : verdict
}

const copy = (kind: 'source' | 'target', isFull = false): Verdict & { kind: 'source' | 'target' } => ({ kind, isFull })
const undecided = (what: string): Verdict => ({
  kind: 'undecided',
  why: `${what}: promote one node, and its data is copied to the other`,
})
const refused = (why: string): Verdict & { kind: 'refused' } => ({ kind: 'refused', why })

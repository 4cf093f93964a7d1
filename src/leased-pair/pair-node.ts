/**
 * A node of a pair, as the catalogue knows it: its name, and on which side of the pair it is. Of a pair one node listens and the other connects, so
 * that two nodes are never taken for one, even where both have the same name.
 */
export interface PairNode {
  readonly name: string
  readonly side: 'listen' | 'connect'
}

export const isSameNode = (first: PairNode, second: PairNode): boolean =>
  first.name === second.name && first.side === second.side

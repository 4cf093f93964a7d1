/** Between two take-overs: each node has numbers of its own there. */
const step = 1000

/**
 * The number of a promotion: greater than that of every one before, and never another node's, so that two nodes which cannot see each other
 * do not take the same. 3002 is the third promotion, by the second node.
 *
 * @param last the highest that was seen; 0 for none
 * @param place the node's place among those of the resource, from 1 on
 */
export const nextPromotion = (last: number, place: number): number => (Math.floor(last / step) + 1) * step + place

/** The branch of a fail-over by a cluster, which has its promotion's number. */
export const promotionBranch = (number: number): string => `cluster-${number}`

/** The number in such a name; 0 where it is none. */
export function branchPromotion(name: string | undefined): number {
  const [, number] = /^cluster-(\d{1,15})$/.exec(name ?? '') ?? []
  return number === undefined ? 0 : Number(number)
}

/** The checkpoint at which an agent's side had nothing left that the hub lacked, since the promotion of that number. */
export const cleanCheckpoint = (number: number): string => `cluster-clean-${number}`

import { createHash } from 'node:crypto'

/** The largest epoch: its names still fit into a node's 31 characters. */
export const largestEpoch = 2_147_483_647

/** Of a disk's name, which may be long, what fits into a node's name. */
const keyOf = (disk: string): string => createHash('sha256').update(disk).digest('hex').slice(0, 10)

/** The quorum that is put above a disk which was a secondary's. */
export const quorumNode = (disk: string): string => `colo-quorum-${keyOf(disk)}`
/** The replication node that is put above a disk which was a primary's, and the overlays below it. */
export const topNode = (disk: string): string => `colo-top-${keyOf(disk)}`
export const activeNode = (disk: string): string => `colo-active-${keyOf(disk)}`
export const hiddenNode = (disk: string): string => `colo-hidden-${keyOf(disk)}`
/** What a guest's device stands on while its disk is rebuilt. */
export const parkNode = (disk: string): string => `colo-park-${keyOf(disk)}`
/** The overlays of an interrupted take-over, opened again. */
export const redoNode = (disk: string): string => `colo-redo-${keyOf(disk)}`

/** The node that stands for a disk's secondary, by the epoch: none of an earlier one is taken for it. */
export const replicaNode = (epoch: number, disk: string): string => `colo-${epoch}-${keyOf(disk)}`
/** The NBD client below it, which `yank` cuts. */
export const nbdNode = (epoch: number, disk: string): string => `${replicaNode(epoch, disk)}-nbd`
/** The job that copies a disk to its secondary, and the node of its target. */
export const copyNode = (epoch: number, disk: string): string => `${replicaNode(epoch, disk)}-copy`
/** The NBD client of a copy of changes, below its target. */
export const linkNode = (epoch: number, disk: string): string => `${replicaNode(epoch, disk)}-link`
/** A node without data, in whose bitmap parts of a disk are marked. */
export const marksNode = (disk: string): string => `colo-marks-${keyOf(disk)}`

/** What a secondary's QEMU calls an export of ours. */
export const exportId = (epoch: number, disk: string): string => `colo-${epoch}-${keyOf(disk)}`
/** What the primary asks for: a primary of another epoch finds nothing of the name that it knows. */
export const exportName = (epoch: number, disk: string): string => `${disk}.epoch-${epoch}`

/**
 * What was written since the last checkpoint that both sides have. The key is a protection's own: an epoch that was used for two secondaries
 * makes no checkpoint of the one that of the other.
 */
export const changesBitmap = (epoch: number, key?: string): string =>
  `colo-${epoch}${key === undefined ? '' : `-${key}`}`
/** What is written while a checkpoint is taken. */
export const nextBitmap = (changes: string): string => `${changes}-next`
/** What is still to be copied. */
export const copyBitmap = (epoch: number): string => `colo-${epoch}-copy`

/** A node without data: it says that the NBD server of its QEMU was started at this address. */
export const serverNode = ({
  host,
  port,
  tlsCreds = '',
}: {
  host: string
  port: number
  tlsCreds?: string | undefined
}): string => `colo-server-${keyOf(JSON.stringify([host, port, tlsCreds]))}`

/** The epoch in the name of a replica's node, an export or a bitmap of ours. */
export function epochOf(name: string): number | undefined {
  const [, digits] = /^colo-(\d{1,10})(?:-|$)/.exec(name) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** Whether a bitmap marks what was written since a checkpoint. */
export const isChangesBitmap = (name: string): boolean => /^colo-\d{1,10}(?:-[0-9a-f]{8})?$/.test(name)

/** Whether a node is one that was put there by us, and no disk. */
export const isOurNode = (name: string): boolean =>
  /^colo-(?:quorum|top|active|hidden|park|redo|marks|server|\d{1,10})-[0-9a-f]{10}(?:-|$)/.test(name)

export const isCopyNode = (name: string): boolean => isOurNode(name) && name.endsWith('-copy')
export const isLinkNode = (name: string): boolean => isOurNode(name) && name.endsWith('-link')

export const isReplicaNode = (name: string): boolean =>
  isOurNode(name) && epochOf(name) !== undefined && !isCopyNode(name) && !isLinkNode(name)

export const isServerNode = (name: string): boolean => isOurNode(name) && name.startsWith('colo-server-')

export const isParkNode = (name: string): boolean => isOurNode(name) && name.startsWith('colo-park-')

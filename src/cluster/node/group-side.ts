import type { GroupView } from '../group-view.js'

/** One of the two services of a group, on this node. Every call may fail with OcfFailure, LinkError or ReplicationError. */
export interface GroupSide {
  readonly service: 'repagent' | 'rephub'
  /** What it says of itself; undefined where the service does not know the group. */
  look(): Promise<GroupLook | undefined>
  /** No guest gets the disks from now on, durably. */
  hold(): Promise<void>
  /** @throws OcfFailure where its data may not be promoted, by force or without */
  checkPromotion(force: boolean): Promise<void>
  promote(options: { number: number; force: boolean }): Promise<void>
  /** The other side gets what it lacks, as far as that is done in time. No guest has the disks. */
  handOver(): Promise<void>
  /** What is possible of what the other side lacks, and of what the cluster has to know of it. */
  settle(): Promise<void>
}

export interface GroupLook {
  /** Guests may have the disks. */
  isOpen: boolean
  view: GroupView
  /** The score that the cluster's knowledge leaves of that. */
  score(): Promise<number | undefined>
}

import type { GroupStatus } from '../agent/group-progress.js'
import type { HubLink } from '../agent/hub-link.js'
import type { TakenPoint } from '../agent/taken-point.js'
import type { HubRight } from '../config/hub-rights.js'
import type { Message } from '../wire/message.js'
import type { GroupCounts } from './group-counts.js'

/** In which way a group is protected. */
export type AgentWay = 'inline' | 'cycles' | 'child'

/** A disk, and where it is: served to QEMU at a URL, or a node of a QEMU that has it. */
export type AgentDisk = { name: string; url: string } | { name: string; node: string }

/**
 * Whether guests may have a group's disks:
 * - `open`: they may, or one has them still;
 * - `forced`: they may, though another side has taken the group over;
 * - `held`: no guest gets them: a cluster has not promoted this side, or another side has taken the group over;
 * - `gone`: an image is lost.
 */
export type GuestsMay = 'open' | 'forced' | 'held' | 'gone'

export interface AgentGroupStatus extends GroupStatus {
  /** Of a group that is served from here. */
  guests?: GuestsMay | undefined
  /** A cluster says when guests may. */
  isManaged?: boolean | undefined
  /** The number of the last promotion here, by that cluster. */
  promotion?: number | undefined
  way: AgentWay
  /** How many connections QEMU has to it. */
  clients: number
  disks: readonly AgentDisk[]
}

/** What may be said anew of a group without an end of its protection. */
export interface GroupWishes {
  /** What the hub may do with it. */
  hubMay: readonly HubRight[]
  /** The recovery point that is wanted, in milliseconds; the usual one of a running QEMU's group where nothing is said. */
  target: number | undefined
}

/** A group, in whichever way an agent protects it. */
export interface AgentGroup extends AsyncDisposable {
  readonly name: string
  readonly status: AgentGroupStatus
  readonly counts: GroupCounts
  /** Whether the hub may do that with it. @throws ReplicationError not-allowed */
  checkRight(right: HubRight): void
  /** What may change while it is protected. */
  change(wishes: GroupWishes): void
  /** There is a connection to the hub. */
  connected(link: HubLink): void
  disconnected(): void
  /** Takes a message of the hub to this group. */
  receive(message: Message): void
  /** The connection takes more. */
  drained(): void
  /** Nothing is sent before `resume`, though the agent ends and begins; what differs is known. @throws ReplicationError file-failed: nothing is changed */
  pause(): Promise<void>
  resume(): Promise<void>
  /**
   * Ends the protection until `start`, though the agent ends and begins.
   *
   * @returns what could not be taken away, in sentences: to stop it again tries that again
   * @throws ReplicationError file-failed, a file's error: nothing is changed
   */
  stop(): Promise<{ left: readonly string[] }>
  start(): Promise<void>
  /**
   * A checkpoint: all writes that were answered before are in it. Settles when the hub has it durably.
   *
   * @throws ReplicationError bad-name; wrong-state where none can be taken now; lost
   */
  point(name: string): Promise<TakenPoint>
  close(): Promise<void>
}

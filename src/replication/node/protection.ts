import type { NbdExport } from '../../nbd/nbd-export.js'
import type { AgentClock } from '../agent/agent-clock.js'
import type { TakenPoint } from '../agent/taken-point.js'
import type { GroupOptions } from '../cycles/cycle-options.js'
import type { GroupCounts } from './group-counts.js'
import type { SinkParts } from './sink-run.js'

export interface ProtectionOptions extends SinkParts {
  /** What QEMU is told. */
  qemu: GroupOptions
  /** Whether the hub holds what the bitmaps are the difference to. */
  isTrusted: boolean
  /** In milliseconds: how often there is a cycle, and how long a guest may wait. */
  every: number
  deadline: number
  clock: AgentClock
  counts: GroupCounts
  /** Whether the hub takes anything now. */
  isReady(): boolean
}

/** A running QEMU's disks on their way to the hub, as long as its monitor is there. */
export interface Protection extends AsyncDisposable {
  /** What is served to QEMU. */
  exports(name: string): NbdExport | undefined
  /** What somebody has to see to before a volume goes on. */
  problem(volume: string): string | undefined
  /** Another stream has begun. */
  begun(isTrusted: boolean): void
  /** The hub has all that was sent. */
  drained(): void
  /** The stream was lost. */
  lost(why: string): void
  /** @throws ReplicationError wrong-state, lost */
  point(name: string): Promise<TakenPoint>
  /** Ends it; what QEMU has of bitmaps stays. */
  close(): Promise<void>
}

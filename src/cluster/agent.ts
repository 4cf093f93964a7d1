import type { ClusterManager } from './cluster-manager.js'
import type { ClusterView } from './cluster-view.js'
import type { AgentDescription } from './meta-data.js'
import type { OcfEnvironment } from './ocf-environment.js'

/** What an agent's resource is on this node: a process that serves something, and takes a role. Every call may fail with OcfFailure. */
export interface Resource {
  /** Its parameters, and what they need on this node. */
  validate(): Promise<void>
  /** Whether a process serves it, be it ours or not. Undefined where that is not certain. */
  isServed(): Promise<boolean | undefined>
  /** What it says of itself, when it is asked. */
  view(): Promise<ClusterView>
  /** Starts the process, and waits until it can be asked. */
  start(): Promise<void>
  /** Ends the process, and waits until it is gone. */
  stop(): Promise<void>
  /** Whether its data may be promoted at all, before a number is given. @throws OcfFailure where not */
  checkPromotion?(force: boolean): Promise<void>
  promote(options: { number: number; force: boolean }): Promise<void>
  demote(): Promise<void>
  /** Does what has become possible since it was looked at last, before it is looked at. */
  settle?(): Promise<void>
  /** The manager has heard the score of the last view. */
  scored?(): void
  /** The manager has stopped it, be it served or not. */
  stopped?(): void
}

/** What one of our agents is. */
export interface Agent extends AgentDescription {
  /** The nodes of the resource, in an order that is the same on each of them. @throws OcfFailure notConfigured */
  nodes(environment: OcfEnvironment): readonly string[]
}

/** What an action asks besides its resource. */
export interface AgentHost {
  readonly cluster: ClusterManager
  /** Says something that an operator should know. */
  warn(message: string): void
}

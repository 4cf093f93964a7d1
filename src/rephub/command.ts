import type { CommonCommand } from '../command-line/common-command.js'
import type { EtcdChoice, LeaseChoice } from '../command-line/lease-choice.js'
import type { PageChoice } from '../command-line/page-choice.js'
import type { SocketAddress } from '../link/node/socket-address.js'
import type { Asked } from '../replication-command/ask.js'
import type { At } from './read-at.js'
import type { Form } from './start-text.js'

export interface ServeCommand {
  kind: 'serve'
  config: string | undefined
  /** What the options say, which counts before the configuration; as configuration files have it. */
  given: { data?: string; listen?: string; nbd?: string; tls?: string; control?: string }
  /** Instead of the configuration's. */
  metrics: SocketAddress | undefined
  /** A folder, for a cluster manager. */
  stateFiles: string | undefined
  /** Instead of the configuration's. */
  page: (PageChoice & { control: boolean }) | undefined
  takeOver: boolean
  /** Instead of the configuration's. */
  lease: LeaseChoice | undefined
  json: boolean
}

/** Whom a cluster of etcd knows to serve. */
export interface HubsCommand extends EtcdChoice {
  kind: 'hubs'
  json: boolean
}

export type StatusCommand = Asked & { kind: 'status'; group: string | undefined; watch: boolean }

/** Times are in microseconds. */
export type PointsCommand = Asked & {
  kind: 'points'
  group: string
  every: number | undefined
  from: number | undefined
  to: number | undefined
}

export type BranchCommand = Asked & {
  kind: 'test' | 'failover'
  group: string
  branch: string | undefined
  at: At
  form: Form
}

export type ArgumentsCommand = Asked & { kind: 'arguments'; group: string; branch: string | undefined; form: Form }
/** Offsets and lengths are in bytes. */
export type ReadCommand = Asked & {
  kind: 'read'
  group: string
  volume: string
  offset: number
  length: number
  branch: string | undefined
  force: boolean
}
export type WriteCommand = Asked & { kind: 'write'; group: string; volume: string; offset: number }
/** What becomes of a branch. */
export type EndCommand = Asked & { kind: 'commit' | 'discard'; group: string; branch: string }
/** Who gets the disks of a fail-over. */
export type HoldCommand = Asked & { kind: 'hold' | 'release'; group: string }
export type FailbackCommand = Asked & { kind: 'failback'; group: string; agent: string | undefined; now: boolean }
export type CheckpointCommand = Asked & { kind: 'checkpoint'; group: string; name: string }

/** Something that its agent is asked to do with a group's protection. */
export type ProtectionCommand = Asked & { kind: 'pause' | 'resume' | 'stop' | 'start'; group: string }

export type Command =
  | ServeCommand
  | HubsCommand
  | StatusCommand
  | PointsCommand
  | BranchCommand
  | ArgumentsCommand
  | ReadCommand
  | WriteCommand
  | EndCommand
  | FailbackCommand
  | HoldCommand
  | CheckpointCommand
  | ProtectionCommand
  | CommonCommand

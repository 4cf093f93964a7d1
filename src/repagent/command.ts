import type { CommonCommand } from '../command-line/common-command.js'
import type { SocketAddress } from '../link/node/socket-address.js'
import type { HubRight } from '../replication/config/hub-rights.js'
import type { Asked } from '../replication-command/ask.js'

export interface ServeCommand {
  kind: 'serve'
  config: string
  /** Instead of the configuration's. */
  control: string | undefined
  metrics: SocketAddress | undefined
  /** A folder, for a cluster manager. */
  stateFiles: string | undefined
  json: boolean
}

/** As configuration files have them. */
export type ProtectedDisks =
  | { way: 'inline'; disks: Readonly<Record<string, { image: string; format: 'raw' | 'qcow2' }>> }
  | { way: 'cycles'; qmp: string; every: string | undefined; disks: Readonly<Record<string, { node: string }>> }

export interface ProtectCommand {
  kind: 'protect'
  group: string
  protected: ProtectedDisks
  /** As configuration files have them. */
  hubMay: readonly HubRight[] | undefined
  target: string | undefined
  /** As configuration files have it. */
  hub: string
  name: string
  state: string
  run: string
  tls: string | undefined
  control: string
  metrics: SocketAddress | undefined
  stateFiles: string | undefined
  json: boolean
}

export type StatusCommand = Asked & { kind: 'status'; group: string | undefined; watch: boolean }
/** Something that is done with a group, and says nothing. */
export type GroupCommand = Asked & { kind: 'pause' | 'resume' | 'stop' | 'start' | 'hold' | 'release'; group: string }
export type CheckpointCommand = Asked & { kind: 'checkpoint'; group: string; name: string }

export interface HeaderCommand {
  kind: 'header'
  image: string
  header: string
  /** The node's name in QEMU. */
  node: string
  json: boolean
}

export type Command =
  | ServeCommand
  | ProtectCommand
  | StatusCommand
  | GroupCommand
  | CheckpointCommand
  | HeaderCommand
  | CommonCommand

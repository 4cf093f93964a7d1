import type { CommonCommand } from '../command-line/common-command.js'
import type { EtcdChoice, LeaseChoice } from '../command-line/lease-choice.js'
import type { SocketAddress } from '../link/node/socket-address.js'
import type { AfterSplitBrain } from '../protocol-d/handshake.js'

/** Where a node's files are. */
interface Files {
  data: string
  meta: string | undefined
  log: string | undefined
  pairFile: string
}

export interface CreateCommand extends Files {
  kind: 'create'
  size: number | undefined
  logSize: number | undefined
}

export interface ServeCommand extends Files {
  kind: 'serve'
  peer: { listen: SocketAddress } | { connect: SocketAddress }
  tls: string | undefined
  nbd: string
  name: string
  control: string
  metrics: SocketAddress | undefined
  afterSplitBrain: AfterSplitBrain
  acknowledgeFromMemory: boolean
  /** A program's absolute path. */
  arbiter: string | undefined
  stateFile: string | undefined
  /** The lease under which the node is Primary, and what the node is called there. */
  lease: (LeaseChoice & { node: string }) | undefined
  /** In milliseconds. */
  deadAfter: number | undefined
  json: boolean
}

/** What is asked of a node that is served. */
export interface Asked {
  control: string
  json: boolean
  /** In milliseconds; undefined for the usual one. */
  timeout: number | undefined
}

export interface ProbeCommand {
  kind: 'probe'
  target: string
  json: boolean
  /** Of each of DRBD's tools, in milliseconds; undefined for the usual one. */
  timeout: number | undefined
}

/** Which pairs the catalogue knows. */
export interface PairsCommand extends EtcdChoice {
  kind: 'pairs'
  json: boolean
  /** In milliseconds; undefined for the usual one. */
  timeout: number | undefined
}

export type Command =
  | ProbeCommand
  | PairsCommand
  | CreateCommand
  | ServeCommand
  | (Asked & { kind: 'status'; watch: boolean })
  | (Asked & { kind: 'checkpoint'; switch: 'on' | 'off' | undefined })
  | (Asked & {
      kind: 'promote'
      two: boolean
      force: boolean
      number: number | undefined
      /** Why, under a lease. */
      forceLease: string | undefined
    })
  | (Asked & { kind: 'alone' })
  | (Asked & { kind: 'demote'; force: boolean })
  | (Asked & { kind: 'resync'; discard: boolean })
  | CommonCommand

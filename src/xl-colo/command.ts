import type { CommonCommand } from '../command-line/common-command.js'
import type { PageChoice } from '../command-line/page-choice.js'
import type { SocketAddress } from '../link/node/socket-address.js'
import type { SidePair } from './read-value.js'

/** How the two sides are reached. */
export interface Ends {
  primary: SidePair | undefined
  secondary: SidePair | undefined
  /** The disks that were named; empty for all that are found. */
  disks: readonly string[]
  /** Folders of the records; the usual one where nothing was said. */
  records: { primary: string; secondary: string } | undefined
  /** In milliseconds. */
  timeout: number
}

export interface BothEnds extends Ends {
  primary: SidePair
  secondary: SidePair
}

export interface StartCommand {
  kind: 'start'
  ends: BothEnds
  json: boolean
  listen: { host: string; port: number }
  epoch: number | undefined
  /** In milliseconds; undefined: protect, and end. */
  every: number | undefined
  stopOnExit: boolean
  metrics: SocketAddress | undefined
  page: PageChoice | undefined
  equal: boolean
  speed: number | undefined
  plainNbd: boolean
  tls: { primary: string; secondary: string } | undefined
  overlays: string | undefined
}

export interface StatusCommand {
  kind: 'status'
  ends: Ends
  json: boolean
  domain: { domid: number; qmp: SocketAddress | undefined } | undefined
  watch: boolean
  graph: boolean
}

export interface FailoverCommand {
  kind: 'failover'
  ends: Ends & { secondary: SidePair }
  json: boolean
  epoch: number | undefined
  force: string | undefined
  resume: boolean
}

export interface PrepareCommand {
  kind: 'prepare'
  json: boolean
  size: number | { image: string; format: 'raw' | 'qcow2' }
  active: string
  hidden: string
}

/** One checkpoint, or the protection's end. */
export interface PairCommand {
  kind: 'checkpoint' | 'stop'
  ends: BothEnds
  json: boolean
}

/** What the command is asked to do. */
export type Command = StartCommand | StatusCommand | FailoverCommand | PrepareCommand | PairCommand | CommonCommand

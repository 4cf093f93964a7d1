import type { CommonCommand } from '../command-line/common-command.js'

export type Command =
  | { kind: 'install'; folder: string }
  | { kind: 'force'; resource: string; node: string; reason: string }
  /** The type and the action are looked at by OCF's rules. */
  | { kind: 'ocf'; type: string; action: string }
  | { kind: 'arbiter'; question: 'alone' | 'equal' }
  /** The resource's folder, in which the sockets are. */
  | { kind: 'serve'; folder: string }
  | CommonCommand

import type { BlockRun } from '../../keep/block-set.js'
import type { Hello, Verdict } from '../handshake.js'
import type { StreamMode } from '../keep/meta-record.js'

/** What a node sends on the data channel, where it stays behind the writes before it. */
export type DataMessage =
  | { kind: 'hello'; hello: Hello }
  | { kind: 'verdict'; verdict: Verdict }
  /** To the target: what it holds from now on is half a copy, of the generation that it then may say. */
  | { kind: 'begin'; generation: string }
  /** To the source: the blocks that the target wrote, and the source did not. */
  | { kind: 'differing'; runs: readonly BlockRun[]; isLast: boolean }
  /** A write of the guest. */
  | { kind: 'write'; sequence: number; offset: number; data: Uint8Array }
  | { kind: 'zero'; sequence: number; offset: number; length: number }
  /** P_BARRIER: a checkpoint's end, and how what follows is to be taken. */
  | { kind: 'barrier'; sequence: number; checkpoint: number; mode: StreamMode }
  /** Of a resync. */
  | { kind: 'copy'; sequence: number; offset: number; data: Uint8Array }
  /** The end of a resync: the target now has this generation. */
  | { kind: 'copied'; sequence: number; generation: string; checkpoint: number }
  | { kind: 'role'; role: 'primary' | 'secondary' }
  /** May I be Primary, by a promotion of this number? Also beside you, with `two`. */
  | { kind: 'roleRequest'; two: boolean; promotion: number }
  | { kind: 'roleAnswer'; refusal: string | undefined }
  /** Of two Primaries, let me be the one that writes. */
  | { kind: 'writerRequest' }
  | { kind: 'writerAnswer'; refusal: string | undefined }

/** What a node sends on the meta channel, past all that waits in the other. */
export type MetaMessage =
  /** P_CHECKPOINT_ACK. */
  | { kind: 'checkpointAck'; checkpoint: number }
  /** All up to here is durable at the receiver. */
  | { kind: 'barrierAck'; sequence: number }
  | { kind: 'copiedAck' }

export type Message = DataMessage | MetaMessage

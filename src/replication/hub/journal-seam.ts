import type { BlockExtent } from '../../nbd/block-backend.js'
import type { Folder } from '../folder.js'
import type { StreamMessage, VolumeInfo } from '../wire/message.js'

/** A place in a group's history. Times are the agent's, in microseconds since 1970. */
export interface Point {
  position: number
  time: number
}

export interface NamedPoint extends Point {
  name?: string | undefined
}

/** Which points are listed. Times in microseconds. */
export interface PointsRange {
  from?: number | undefined
  to?: number | undefined
  /** Of those without a name, one for each so many microseconds; none without it. */
  every?: number | undefined
}

/** A part of a volume, in bytes. */
export interface Run {
  offset: number
  length: number
}

/** A group as of a position, which stays readable until it is closed. */
export interface View {
  readonly position: number
  readonly volumes: readonly VolumeInfo[]
  read(volume: number, offset: number, length: number): Uint8Array | Promise<Uint8Array>
  blockStatus(volume: number, offset: number, length: number): BlockExtent[] | Promise<BlockExtent[]>
  close(): void
}

/** A stream up to a sequence. */
interface StreamPart {
  stream: string
  sequence: number
}

/** What a hub needs of a group's journal; see `GroupJournal`, which is one. */
export interface Journal {
  readonly state: 'taking' | 'full' | 'failed'
  readonly volumes: readonly VolumeInfo[]
  readonly last: { position: number; settled?: Point | undefined; isSettled: boolean; reason?: string | undefined }
  /** The one that was appended last; `earlier` are those before it, each of which the next one has begun on. */
  readonly stream?: (StreamPart & { epoch: number; earlier: readonly StreamPart[] }) | undefined
  declareVolume(info: VolumeInfo): void
  /** @param continues whether its agent knows all that differs from what is there */
  beginStream(stream: string, epoch: number, agent: string, continues?: boolean): void
  append(message: StreamMessage): number
  rewind(position: number): void
  commit(): Promise<{ position: number; sequence: number }>
  positionAt(time: number): number
  points(range?: PointsRange): Iterable<NamedPoint>
  findPoint(name: string): Point
  /** @throws ReplicationError no-such-point where it is not offered */
  pointAt(position: number): Point
  /** @param atMost only so many, the newest ones */
  history(atMost?: number): readonly { from: Point; to: Point }[]
  /** @param options.unsettled also of a position that is not offered */
  view(position: number, options?: { unsettled?: boolean }): Promise<View>
  /** Runs of granules that any record after a position wrote, undone ones too. */
  changedSince(position: number, volume: number): Iterable<Run>
  trim(): Promise<void>
  /** Other limits hold from now on. */
  limit(limits: Pick<JournalLimits, 'bytes' | 'history' | 'names'>): void
  usage(): { journalBytes: number; imageBytes: number }
  close(): Promise<void>
}

export interface JournalLimits {
  /** Older history is folded while the journal is larger, in bytes. */
  bytes?: number | undefined
  /** It is full when it is larger, in bytes. */
  hardBytes?: number | undefined
  /** How far back, in microseconds. */
  history?: number | undefined
  /** How many points have a name: of more, the oldest names are forgotten. */
  names?: number | undefined
}

/** @param options.now the hub's clock, in microseconds: what is young by it is not old, whatever the agent's clock says */
export type OpenJournal = (folder: Folder, options: { limits: JournalLimits; now: () => number }) => Promise<Journal>

import { Buffer } from 'node:buffer'
import { isName } from '../name.js'
import { ReplicationError } from '../replication-error.js'
import type { VolumeInfo } from '../wire/message.js'
import type { RecordHeader } from './record.js'

/** The stream that the journal's last data came from. */
export interface StreamState {
  stream: string
  epoch: number
  agent: string
  /** The last one that is in the journal; 0 where none is. */
  sequence: number
  /** The time of its first record. */
  since?: number | undefined
  /**
   * Those before it, each of which the next one has begun on, with the last sequence of each: an agent whose bitmaps rest on one of them and which
   * has had no acknowledgement of what came after it has all bits of that still set.
   */
  earlier?: readonly StreamPart[] | undefined
}

/** A stream up to a sequence. */
export interface StreamPart {
  stream: string
  sequence: number
}

/**
 * So long goes a stream on whose agent has had no acknowledgement, at most, in microseconds. Of a longer one it has: who rests on an earlier one all the
 * same was restored from a backup, and knows nothing of what was written since.
 */
const unheardAtMost = 60_000_000
/** How many of them are known. */
const earlierAtMost = 16

/** What is known behind a record. It is plain data, and goes into headers of segments and into rewinds as JSON. */
export interface StateSnapshot {
  position: number
  /** The newest record's that has one. */
  time: number
  isSettled: boolean
  /** Why it is not settled. */
  reason?: string | undefined
  /** The newest position that is a point. */
  settled?: { position: number; time: number } | undefined
  stream?: StreamState | undefined
  volumes: readonly VolumeInfo[]
}

export const emptySnapshot: StateSnapshot = {
  position: 0,
  time: 0,
  isSettled: false,
  reason: 'new replica',
  volumes: [],
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

const isParts = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length <= earlierAtMost &&
  value.every(part => typeof part?.stream === 'string' && isCount(part.sequence))

/** What JSON from a file says, if it is a volume. */
function readVolume(value: unknown): VolumeInfo {
  const { number, name, size } = Object(value)
  if (!isCount(number) || number > 255 || typeof name !== 'string' || !isName(name) || !isCount(size) || size === 0)
    throw new ReplicationError('damaged', 'the journal declares a volume that cannot be one')
  return { number, name, size }
}

export function readSnapshot(value: unknown): StateSnapshot {
  const { position, time, isSettled, reason, settled, stream, volumes } = Object(value)
  const isPoint = settled === undefined || (isCount(settled?.position) && isCount(settled?.time))
  const isStream =
    stream === undefined ||
    (typeof stream?.stream === 'string' &&
      typeof stream.agent === 'string' &&
      isCount(stream.epoch) &&
      isCount(stream.sequence) &&
      (stream.since === undefined || isCount(stream.since)) &&
      (stream.earlier === undefined || isParts(stream.earlier)))
  if (!isCount(position) || !isCount(time) || typeof isSettled !== 'boolean' || !isPoint || !isStream)
    throw new ReplicationError('damaged', 'the journal holds a state that cannot be one')
  if (!Array.isArray(volumes)) throw new ReplicationError('damaged', 'the journal holds a state without volumes')
  return {
    position,
    time,
    isSettled,
    reason: typeof reason === 'string' ? reason : undefined,
    settled: settled && { position: settled.position, time: settled.time },
    stream: stream && {
      stream: stream.stream,
      epoch: stream.epoch,
      agent: stream.agent,
      sequence: stream.sequence,
      since: stream.since,
      earlier: stream.earlier,
    },
    volumes: volumes.map(readVolume),
  }
}

export function readJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString())
  } catch (error) {
    throw new ReplicationError('damaged', 'a mark in the journal is no JSON', { cause: error })
  }
}

/** What is known behind the last record that was applied. */
export class JournalState {
  position: number
  time: number
  isSettled: boolean
  reason: string | undefined
  settled: { position: number; time: number } | undefined
  stream: StreamState | undefined
  volumes: Map<number, VolumeInfo>

  constructor(from: StateSnapshot) {
    this.position = from.position
    this.time = from.time
    this.isSettled = from.isSettled
    this.reason = from.reason
    this.settled = from.settled
    this.stream = from.stream && { ...from.stream }
    this.volumes = new Map(from.volumes.map(volume => [volume.number, volume]))
  }

  get snapshot(): StateSnapshot {
    return {
      position: this.position,
      time: this.time,
      isSettled: this.isSettled,
      reason: this.reason,
      settled: this.settled,
      stream: this.stream && { ...this.stream },
      volumes: [...this.volumes.values()],
    }
  }

  /** Goes on behind the next record. Of data the payload is not looked at. @returns whether this is a point that is offered */
  apply(record: RecordHeader, payload: Uint8Array): boolean {
    const { kind } = record
    if (kind === 'rewind') {
      const back = new JournalState(readSnapshot(readJson(payload)))
      Object.assign(this, back, { position: record.position, time: record.time, isSettled: true, reason: undefined })
      this.settled = { position: record.position, time: record.time }
      return true
    }
    this.position = record.position
    if (kind === 'volume') {
      const volume = readVolume(readJson(payload))
      this.volumes.set(volume.number, volume)
      return false
    }
    if (kind === 'stream') {
      const { stream, epoch, agent, continues } = Object(readJson(payload))
      if (typeof stream !== 'string' || typeof agent !== 'string' || !isCount(epoch))
        throw new ReplicationError('damaged', 'the journal begins a stream that cannot be one')
      this.stream = { stream, epoch, agent, sequence: 0, earlier: continues === true ? this.#withEarlier() : undefined }
      return false
    }
    if (kind === 'name') return false
    this.time = record.time
    this.#noteTime(record.time)
    if (record.sequence === 0) return false
    if (this.stream !== undefined) this.stream.sequence = record.sequence
    if (kind === 'unsettled') {
      this.isSettled = false
      const { reason } = Object(readJson(payload))
      this.reason = typeof reason === 'string' ? reason : 'no reason given'
      return false
    }
    if (kind === 'settled') {
      this.isSettled = true
      this.reason = undefined
    }
    if (!this.isSettled) return false
    this.settled = { position: record.position, time: record.time }
    return true
  }

  #withEarlier(): readonly StreamPart[] {
    if (this.stream === undefined) return []
    const { stream, sequence, earlier = [] } = this.stream
    return [...earlier, { stream, sequence }].slice(-earlierAtMost)
  }

  #noteTime(time: number): void {
    const { stream } = this
    if (stream === undefined) return
    stream.since ??= time
    if (Math.abs(time - stream.since) > unheardAtMost) stream.earlier = undefined
  }
}

import type { BlockBackend } from '../../nbd/block-backend.js'
import { NbdError } from '../../nbd/nbd-error.js'
import type { SinkGroup } from '../agent/sink-group.js'
import { ReplicationError } from '../replication-error.js'
import type { SyncProgress } from './sync-progress.js'

/** What the targets of a group need. */
export interface SinkParts {
  sink: SinkGroup
  /** Another one with each stream that begins or is lost. */
  run(): number
  progress: SyncProgress
  /** Something that the status shows has changed. */
  changed(): void
}

/**
 * A while in which all goes into one stream: where that is lost, nothing of the while counts, though another stream takes what comes. Of
 * what went before, the hub may have any part.
 */
export class SinkRun {
  readonly #parts: SinkParts
  readonly #run: number
  #isOver = false

  /** @throws ReplicationError lost where no stream takes anything */
  constructor(parts: SinkParts, reason: string) {
    this.#parts = parts
    this.#run = parts.run()
    if (!parts.sink.unsettled(reason)) throw gone()
  }

  /** Takes nothing any more. */
  end(): void {
    this.#isOver = true
  }

  get isOver(): boolean {
    return this.#isOver || this.#run !== this.#parts.run()
  }

  /** @throws ReplicationError lost */
  check(): void {
    if (this.isOver) throw gone()
  }
}

const gone = () => new ReplicationError('lost', 'the hub takes nothing of this group now, or did not meanwhile')

/** A volume of a sink, while a run lasts. Flushes wait for nobody: that all is at the hub is asked for by other ways. */
export function runBackend(
  run: () => SinkRun | undefined,
  volume: BlockBackend,
  came: (bytes: number) => void = () => {},
): BlockBackend {
  const check = () => {
    if (run()?.isOver !== false) throw new NbdError('EIO', 'the hub does not take this volume now')
  }
  return {
    size: volume.size,
    read: (offset, length) => volume.read(offset, length),
    write(offset, data) {
      check()
      came(data.length)
      return volume.write(offset, data)
    },
    writeZeroes(offset, length) {
      check()
      came(length)
      return volume.writeZeroes(offset, length)
    },
    trim: () => {},
    flush: () => {},
  }
}

import type { PrimarySide } from '#xenlight/replication/hub/primary-side.js'
import type { Images } from './played-group.js'

/** The primary side's disks, as they were when it was fenced. */
export class PlayedPrimary implements PrimarySide {
  readonly agent: string
  readonly images: Images
  /** How many bytes were copied to it. */
  written = 0
  flushes = 0
  /** What its bitmap says, by volume. */
  readonly differs = new Map<number, { offset: number; length: number }[]>()
  onWrite: () => void = () => {}

  constructor(images: Images, agent = 'host-1') {
    this.images = images
    this.agent = agent
  }

  async differing(volume: number) {
    return this.differs.get(volume) ?? []
  }

  async write(volume: number, offset: number, data: Uint8Array): Promise<void> {
    this.onWrite()
    this.images.get(volume)!.set(data, offset)
    this.written += data.length
  }

  async flush(): Promise<void> {
    this.flushes++
  }
}

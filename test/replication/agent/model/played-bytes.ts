import type { Random } from '../../../support/random.js'

/** What a disk tears. */
export const sector = 512

/** Bytes of a file: as they are read, and what of them a crash of the host leaves. */
export class PlayedBytes {
  now: Uint8Array
  #durable: Uint8Array
  #unsynced: { offset: number; data: Uint8Array }[] = []
  #syncs: { writes: number; resolve(): void; reject(error: Error): void }[] = []

  constructor(size: number) {
    this.now = new Uint8Array(size)
    this.#durable = new Uint8Array(size)
  }

  write(offset: number, data: Uint8Array): void {
    const end = offset + data.length
    if (end > this.now.length) {
      const longer = new Uint8Array(end)
      longer.set(this.now)
      this.now = longer
    }
    this.now.set(data, offset)
    this.#unsynced.push({ offset, data: data.slice() })
  }

  /** Writes some of the sectors. */
  tear(offset: number, data: Uint8Array, random: Random): void {
    for (let at = 0; at < data.length; at += sector)
      if (random.chance(0.5)) this.write(offset + at, data.subarray(at, at + sector))
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => this.#syncs.push({ writes: this.#unsynced.length, resolve, reject }))
  }

  get isSyncing(): boolean {
    return this.#syncs.length > 0
  }

  /** The first sync that was asked for is through. */
  endSync(): void {
    const sync = this.#syncs.shift()
    if (sync === undefined) return
    const synced = this.#unsynced.splice(0, sync.writes)
    for (const { offset, data } of synced) this.#keep(offset, data)
    for (const later of this.#syncs) later.writes = Math.max(0, later.writes - synced.length)
    sync.resolve()
  }

  /** The process ends, or the host: then what was not synced may be there or not, sector by sector. */
  crash(isHost: boolean, random: Random): void {
    this.#syncs = []
    if (!isHost) return
    const chance = random.pick([0, 0.5, 0.9])
    for (const { offset, data } of this.#unsynced.splice(0))
      for (let at = 0; at < data.length; at += sector)
        if (random.chance(chance)) this.#keep(offset + at, data.subarray(at, at + sector))
    this.now = this.#durable.slice()
  }

  #keep(offset: number, data: Uint8Array): void {
    const end = offset + data.length
    if (end > this.#durable.length) {
      const longer = new Uint8Array(end)
      longer.set(this.#durable)
      this.#durable = longer
    }
    this.#durable.set(data, offset)
  }
}

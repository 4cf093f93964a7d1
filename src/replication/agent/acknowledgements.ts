import { ReplicationError } from '../replication-error.js'

interface Waiting {
  resolve(): void
  reject(error: Error): void
}

/** Who waits until the hub has a message of the stream durably. */
export class Acknowledgements {
  readonly #waiting = new Map<number, Waiting[]>()

  /** Settles when the hub has it. @throws ReplicationError lost where the stream ended before */
  of(sequence: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(sequence)
      if (waiting === undefined) this.#waiting.set(sequence, [{ resolve, reject }])
      else waiting.push({ resolve, reject })
    })
  }

  acknowledged(sequence: number): void {
    if (this.#waiting.size === 0) return
    for (const { resolve } of this.#waiting.get(sequence) ?? []) resolve()
    this.#waiting.delete(sequence)
  }

  lost(why: string): void {
    const all = [...this.#waiting.values()].flat()
    this.#waiting.clear()
    for (const { reject } of all) reject(new ReplicationError('lost', `the hub has not all of the stream: ${why}`))
  }
}

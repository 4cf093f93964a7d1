/** How much the branches of a group have written, and may. */
export class OverlayQuota {
  #used = 0
  /** In bytes. */
  limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  /** In bytes. */
  get used(): number {
    return this.#used
  }

  has(bytes: number): boolean {
    return this.#used + bytes <= this.limit
  }

  /** What is there already counts, whatever the limit is now. */
  add(bytes: number): void {
    this.#used += bytes
  }

  remove(bytes: number): void {
    this.#used -= bytes
  }
}

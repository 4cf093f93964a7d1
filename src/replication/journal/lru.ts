/** Values that are made when they are asked for; those used last are kept, up to a sum of weights. */
export class Lru<Key, Value> {
  readonly #values = new Map<Key, { value: Value; weight: number }>()
  readonly #atMost: number
  #weight = 0

  constructor(atMost: number) {
    this.#atMost = atMost
  }

  get(key: Key): Value | undefined {
    const entry = this.#values.get(key)
    if (entry === undefined) return
    this.#values.delete(key)
    this.#values.set(key, entry)
    return entry.value
  }

  set(key: Key, value: Value, weight: number): void {
    this.#remove(key)
    this.#values.set(key, { value, weight })
    this.#weight += weight
    for (const oldest of this.#values.keys()) {
      if (this.#weight <= this.#atMost || this.#values.size === 1) break
      this.#remove(oldest)
    }
  }

  clear(): void {
    this.#values.clear()
    this.#weight = 0
  }

  #remove(key: Key): void {
    this.#weight -= this.#values.get(key)?.weight ?? 0
    this.#values.delete(key)
  }
}

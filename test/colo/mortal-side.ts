import type { PairOptions, RecordStore, Side } from 'xenlight/colo'
import type { Qmp } from 'xenlight/qmp'

/** That this process was killed: nothing it does afterwards reaches anybody. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/** Counts what reaches the outside, and ends it all at one step: before it, or after it and before its answer. */
export class Mortality {
  #steps = 0
  readonly #at: number
  readonly #after: boolean

  constructor(at: number, after: boolean) {
    this.#at = at
    this.#after = after
  }

  get steps(): number {
    return this.#steps
  }

  async step<Result>(work: () => Promise<Result>): Promise<Result> {
    const step = ++this.#steps
    if (step > this.#at || (step === this.#at && !this.#after)) throw new Killed(`killed at step ${this.#at}`)
    const result = await work()
    if (step === this.#at) throw new Killed(`killed after step ${this.#at}`)
    return result
  }

  /** The same options for a process that dies. */
  over(options: PairOptions): PairOptions {
    return { ...options, primary: this.side(options.primary), secondary: this.side(options.secondary) }
  }

  side({ qmp, records }: Side): Side {
    return { qmp: this.#qmp(qmp), records: this.#records(records) }
  }

  /** Commands that only ask count too: between them is as good a place to die as any. */
  #qmp(qmp: Qmp): Qmp {
    const mortal =
      (name: 'run' | 'runOutOfBand') =>
      (...args: unknown[]) =>
        this.step(() => (qmp[name] as (...args: unknown[]) => Promise<unknown>).apply(qmp, args))
    return new Proxy(qmp, {
      get: (target, name) => {
        if (name === 'run' || name === 'runOutOfBand') return mortal(name)
        const value = Reflect.get(target, name, target) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  #records(records: RecordStore): RecordStore {
    return {
      read: image => this.step(() => records.read(image)),
      write: (image, text) => this.step(() => records.write(image, text)),
    }
  }
}

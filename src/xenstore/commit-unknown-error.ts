import { XenstoreError } from './xenstore-error.js'

/** A transaction was to be committed, and no answer came in time: it may be in the store or not. */
export class CommitUnknownError extends XenstoreError {
  readonly #committed: () => boolean | undefined

  constructor(why: XenstoreError, committed: () => boolean | undefined) {
    const message = `${why.message}; whether it was committed is not known`
    super(why.code, message, { operation: 'TRANSACTION_END', cause: why.cause })
    this.#committed = committed
  }

  /** Whether it was committed, where an answer came later; undefined until then. */
  get committed(): boolean | undefined {
    return this.#committed()
  }
}

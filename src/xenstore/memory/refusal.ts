import type { WireErrorCode } from '../xenstore-error.js'

/** A request that the store answers with an error. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: WireErrorCode

  constructor(code: WireErrorCode) {
    super(code)
    this.code = code
  }
}

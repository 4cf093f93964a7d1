import { type OcfCode, ocfCodes } from './exit-code.js'

/** That an action ends with another code than its success. The message is what the cluster manager shows. */
export class OcfFailure extends Error {
  override readonly name = 'OcfFailure'
  readonly code: OcfCode

  constructor(code: keyof typeof ocfCodes, message: string, { cause }: { cause?: unknown } = {}) {
    super(message, { cause })
    this.code = ocfCodes[code]
  }
}

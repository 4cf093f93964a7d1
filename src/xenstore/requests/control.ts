import type { Buffer } from 'node:buffer'
import { decodeText } from '../../byte-text.js'
import type { RequestKind } from '../request-kind.js'
import { XenstoreError } from '../xenstore-error.js'

export const control = {
  operation: 'CONTROL',
  fields: (command, parameters) => {
    if (!Array.isArray(parameters)) throw new XenstoreError('EINVAL', 'parameters are a list of texts')
    return [command, ...parameters]
  },
  decode,
} satisfies RequestKind<[command: string, parameters: readonly string[]], string>

/** Text of any kind, whose last NUL is no part of it. */
function decode(payload: Buffer): string {
  return decodeText(payload.at(-1) === 0 ? payload.subarray(0, -1) : payload)
}

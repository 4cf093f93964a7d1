import { LibxlError } from '../../libxl/libxl-error.js'
import { show } from '../../libxl/show-text.js'
import { plainPath } from '../option-text.js'

/**
 * The name of a file as a member of QEMU's JSON, which needs no escaping but JSON's own.
 *
 * @throws LibxlError for a name that cannot be passed, or that QEMU's JSON reader does not take
 */
export function jsonPath(path: string): string {
  const noncharacter = /\p{Noncharacter_Code_Point}/u.exec(path)?.[0]
  if (noncharacter !== undefined) {
    const code = noncharacter.codePointAt(0)!.toString(16).toUpperCase()
    throw new LibxlError(
      'argument-text',
      `QEMU reads no JSON with U+${code}, which ${show(path)} holds: rename the file`,
    )
  }
  return plainPath(path)
}

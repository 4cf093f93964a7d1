import { LibxlError } from '../../libxl/libxl-error.js'
import { show } from '../../libxl/show-text.js'
import { argumentText, plainPath } from '../option-text.js'

/**
 * The name of a file as a member of QEMU's JSON, which needs no escaping but JSON's own.
 *
 * @throws LibxlError for a name that cannot be passed, or that QEMU's JSON reader does not take
 */
export const jsonPath = (path: string): string => plainPath(jsonText(path))

/** The same for a text that is no file's name. @throws as `jsonPath` */
export function jsonText(text: string): string {
  const noncharacter = /\p{Noncharacter_Code_Point}/u.exec(text)?.[0]
  if (noncharacter !== undefined) {
    const code = noncharacter.codePointAt(0)!.toString(16).toUpperCase()
    throw new LibxlError(
      'argument-text',
      `QEMU reads no JSON with U+${code}, which ${show(text)} holds: give it another name`,
    )
  }
  return argumentText(text)
}

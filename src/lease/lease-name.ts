import { checkText, outOfRange, wrongValue } from '../check-argument.js'

const nameShape = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
const expected = 'up to 100 letters, digits, ".", "_" and "-", a letter or a digit first'
const holderAtMost = 200

export const isLeaseName = (text: string): boolean => nameShape.test(text)

/** Checks what a lease or a record is called. @throws TypeError */
export function checkName(what: string, name: unknown): asserts name is string {
  checkText(what, name)
  if (!isLeaseName(name as string)) throw wrongValue(what, expected, name)
}

/** Checks how a holder calls itself. @throws TypeError, RangeError */
export function checkHolder(holder: unknown): void {
  checkText('holder', holder)
  const { length } = holder as string
  if (length === 0 || length > holderAtMost) throw outOfRange('holder', `1 to ${holderAtMost} characters`, holder)
}

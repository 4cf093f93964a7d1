import { checkArray, checkInteger, checkText, outOfRange, wrongValue } from '../../check-argument.js'
import { largestEpoch } from '../graph/node-names.js'

/** QEMU's limit of an NBD export's name, less what the epoch adds to it. */
const longestName = 4096 - 15

/** The disks of a pair, by their exports' names. */
export function checkDisks(disks: unknown): void {
  checkArray('disks', disks, 'names of disks')
  const names = disks as readonly unknown[]
  if (names.length === 0) throw outOfRange('disks.length', 'above 0', 0)
  const seen = new Set<unknown>()
  for (const [index, name] of names.entries()) {
    checkDiskName(`disks[${index}]`, name)
    if (seen.has(name)) throw wrongValue(`disks[${index}]`, 'a name that no disk before it has', name)
    seen.add(name)
  }
}

/** What QEMU cannot have as an export is no disk's name. */
export function checkDiskName(name: string, value: unknown): void {
  checkText(name, value)
  const text = value as string
  const isFit =
    text !== '' && !text.includes('\0') && text.isWellFormed() && new TextEncoder().encode(text).length <= longestName
  if (!isFit) throw wrongValue(name, `a text of 1 to ${longestName} bytes without NUL`, value)
}

export const checkEpoch = (epoch: unknown): void => checkInteger('epoch', epoch, 1, largestEpoch)

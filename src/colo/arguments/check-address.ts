import { checkInteger, checkText, checkWord, wrongValue } from '../../check-argument.js'
import { isQemuId } from '../../libxl/qemu-id.js'

/** Where a secondary listens. QEMU takes no host for all addresses of the machine. */
export function checkAddress({ host, port }: { host?: unknown; port?: unknown }): void {
  checkWords('host', host)
  // whoever reaches the port may write the disks
  if (isAllAddresses(host as string)) throw wrongValue('host', 'one address, not all of this machine', host)
  checkInteger('port', port, 1, 65_535)
}

/** Whether it stands for all addresses of a machine. */
export const isAllAddresses = (host: string): boolean => allAddresses.has(host)

const allAddresses: ReadonlySet<string> = new Set(['0.0.0.0', '0', '::', '::0', '[::]', '*'])

/** A text that says something. */
export function checkWords(name: string, value: unknown): void {
  checkText(name, value)
  if (value === '' || (value as string).includes('\0')) throw wrongValue(name, 'a text without NUL, not empty', value)
}

/** The id of an object of QEMU's. */
export function checkObjectId(name: string, value: unknown): void {
  checkText(name, value)
  if (!isQemuId(value as string)) throw wrongValue(name, "the id of a QEMU's object", value)
}

export function checkDriver(value: unknown): void {
  if (value !== undefined) checkWord('driver', value, ['replication', 'nbd'])
}

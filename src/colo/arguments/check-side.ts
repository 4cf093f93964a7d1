import { checkMethods, checkObject } from '../../check-argument.js'

/** A connection to a QEMU. */
export const checkQmp = (name: string, value: unknown): void =>
  checkMethods(name, value, ['run', 'events'], 'a connection to QEMU')

export const checkRecords = (name: string, value: unknown): void =>
  checkMethods(name, value, ['read', 'write'], 'where the records are')

export function checkSide(name: string, value: unknown): void {
  checkObject(name, value, 'a side of a pair')
  const { qmp, urgent, records } = value as Record<string, unknown>
  checkQmp(`${name}.qmp`, qmp)
  if (urgent !== undefined) checkQmp(`${name}.urgent`, urgent)
  checkRecords(`${name}.records`, records)
}

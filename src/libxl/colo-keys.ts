import type { DeviceDisk } from './device-disk.js'

/** What COLO needs besides `colo`: the record's field, and its key in a disk spec. */
export const coloKeys = [
  ['coloHost', 'colo-host'],
  ['coloPort', 'colo-port'],
  ['coloExport', 'colo-export'],
  ['activeDisk', 'active-disk'],
  ['hiddenDisk', 'hidden-disk'],
] as const satisfies readonly (readonly [field: keyof DeviceDisk, key: string])[]

export type ColoField = (typeof coloKeys)[number][0]

/** The keys that a COLO disk lacks: an empty text and the port 0 are none. */
export const missingColoKeys = (disk: Pick<DeviceDisk, ColoField>): (typeof coloKeys)[number][] =>
  coloKeys.filter(([field]) => !disk[field])

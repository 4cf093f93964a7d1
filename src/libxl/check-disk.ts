import type { DeviceDisk } from './device-disk.js'

/** What every record has, whatever else is absent. */
const always = {
  ...{ backendDomid: 'number', backend: 'string', format: 'string', specification: 'string', transport: 'string' },
  ...{ removable: 'boolean', readwrite: 'boolean', isCdrom: 'boolean', directIoSafe: 'boolean' },
} as const satisfies { [Name in keyof DeviceDisk]?: string }

const names = Object.keys(always) as (keyof typeof always)[]

/** For callers without types: a spec or a few members are no record, and what libxl says of one would mislead. */
export function checkDisk(disk: DeviceDisk): void {
  if (typeof disk !== 'object' || disk === null) throw new TypeError(`disk must be a record: ${howToMakeOne}`)
  for (const name of names)
    if (typeof disk[name] !== always[name])
      throw new TypeError(`disk.${name} must be a ${always[name]}: ${howToMakeOne}`)
}

const howToMakeOne = 'parseDisk makes a whole record of a spec, fromLibxlJson of some members'

import { open, readFile } from 'node:fs/promises'
import { encodeText } from '../../byte-text.js'
import { checkDomid } from '../check-guest.js'
import { LibxlError } from '../libxl-error.js'
import { statTarget } from '../stat-target.js'
import { reasonOf } from '../system-error.js'
import { libxlFolder, userdataIn } from '../userdata/userdata-folder.js'
import type { DiskHost } from './disk-host.js'
import { runScript } from './run-script.js'

/** This machine. `domid` is the domain that this process runs in; in domain 0 libxl's files and locks are in /var/lib/xen. */
export function nodeHost(domid = 0): DiskHost {
  checkDomid(domid)
  const host = { domid, examine: statTarget, createEmptyCdrom, runScript, sectorsOf }
  return domid === 0 ? { ...host, lockUserdata: userdataIn(libxlFolder) } : host
}

async function createEmptyCdrom(path: string): Promise<void> {
  try {
    const file = await open(encodeText(path), 'w', 0o400)
    await file.close()
  } catch (error) {
    throw new LibxlError('empty-cdrom', `Failed to create empty cdrom "${path}": ${reasonOf(error)}`, { cause: error })
  }
}

async function sectorsOf(device: string): Promise<number | undefined> {
  const [, major = '', minor = ''] = /^([0-9a-f]{1,5}):([0-9a-f]{1,5})$/i.exec(device) ?? []
  const path = `/sys/dev/block/${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}/size`
  const size = await readFile(path, 'latin1').catch(() => '')
  return /^[0-9]+\n?$/.test(size) ? Number(size) : undefined
}

import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { decodeText, encodeText } from '../../byte-text.js'
import { LibxlError } from '../libxl-error.js'
import { codeOf, reasonOf } from '../system-error.js'
import type { LockUserdata } from './domain-userdata.js'
import { lockFile } from './lock-file.js'

/** Where libxl keeps what it has to remember of domains. */
export const libxlFolder = '/var/lib/xen'

/** A configuration has some kilobytes, and some hundred bytes for each disk. */
const mostBytes = 16 << 20

/** Domains' files in a folder, by libxl's names (`libxl__userdata_path`). */
export const userdataIn =
  (folder: string): LockUserdata =>
  async ({ domid, uuid }, options) => {
    const pathOf = (kind: 'd' | 'l' | 'n', what: string) => `${folder}/userdata-${kind}.${domid}.${uuid}.${what}`
    const lock = await lockFile(pathOf('l', 'domain-userdata-lock'), options)
    if (lock === undefined) return undefined
    const [path, newPath] = [pathOf('d', 'libxl-json'), pathOf('n', 'libxl-json')]
    return {
      readConfig: () => read(path),
      writeConfig: text => replace(path, newPath, text),
      release: () => lock.release(),
    }
  }

async function read(path: string): Promise<string | undefined> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    const { size } = await file.stat()
    if (size > mostBytes)
      throw new LibxlError('configuration-invalid', `${path} has ${size} bytes; at most ${mostBytes} are read`)
    return decodeText(await file.readFile())
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    if (error instanceof LibxlError) throw error
    throw new LibxlError(
      'configuration-unreadable',
      `cannot read the domain's configuration ${path}: ${reasonOf(error)}`,
      { cause: error },
    )
  } finally {
    await file?.close()
  }
}

async function replace(path: string, newPath: string, text: string): Promise<void> {
  try {
    const file = await open(newPath, 'w', 0o600)
    try {
      await file.writeFile(encodeText(text))
    } finally {
      await file.close()
    }
    await rename(newPath, path)
  } catch (error) {
    await rm(newPath, { force: true }).catch(() => {})
    throw new LibxlError(
      'configuration-unwritable',
      `cannot write the domain's configuration ${path}: ${reasonOf(error)}`,
      { cause: error },
    )
  }
}

import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'

/** Why what a file holds cannot be a page's secret. */
export class PageTokenError extends Error {
  override readonly name = 'PageTokenError'
}

/** How long the secret has to be, and may be, in characters. */
const shortest = 32
const longest = 1024

/**
 * Reads the secret by which people come to a page. Where there is no file, one is made with a secret of 256 bits, for this user alone.
 *
 * @throws PageTokenError; what the system says
 */
export function readPageToken(file: string): string {
  return readToken(file) ?? makeToken(file)
}

function readToken(file: string): string | undefined {
  let opened: number
  try {
    // of a pipe nobody may ever write to the other end
    opened = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const found = fstatSync(opened)
    if (!found.isFile()) throw new PageTokenError('it is no file')
    if ((found.mode & 0o007) !== 0) throw new PageTokenError('every user may open it: chmod o= it')
    const bytes = Buffer.alloc(longest + 2)
    const token = bytes.toString('latin1', 0, readSync(opened, bytes)).trim()
    if (!/^[\x21-\x7e]*$/.test(token)) throw new PageTokenError('it has to hold one word of ASCII, and nothing else')
    if (token.length < shortest || token.length > longest)
      throw new PageTokenError(
        `its secret is too ${token.length < shortest ? 'short' : 'long'}: it has ${shortest} to ${longest} characters`,
      )
    return token
  } finally {
    closeSync(opened)
  }
}

function makeToken(file: string): string {
  const token = randomBytes(32).toString('base64url')
  const made = openSync(file, 'wx', 0o600)
  try {
    writeSync(made, `${token}\n`)
  } finally {
    closeSync(made)
  }
  return token
}

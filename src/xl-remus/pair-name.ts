import { fs } from '../command-line/fs.js'
import { calling } from '../command-line/system-error.js'
import { UsageError } from '../command-line/usage-error.js'

/** Reads a pair's name: the first line of a file, so that no list of processes shows it. @throws SystemError, UsageError */
export function pairName(file: string): string {
  const text = calling(file, () => fs.readFileSync(file, 'utf8'))
  const [name = ''] = text.split('\n', 1)
  if (name.trim() === '' || name.length > 256)
    throw new UsageError(`${file} has no pair's name in its first line: write 1 to 256 characters that nobody guesses`)
  return name.trim()
}

import { type CommandLine, lastValue } from '../command-line/command-line.js'
import { readHostPort, readTime } from '../command-line/read-value.js'
import { UsageError } from '../command-line/usage-error.js'
import { addressesAtMost, splitAddresses } from '../replication/config/split-addresses.js'
import { isName, nameRule } from '../replication/name.js'

/** The name of a group, a branch, a checkpoint, … @throws UsageError */
export function readName(what: string, text: string): string {
  if (isName(text)) return text
  throw new UsageError(`${what} takes a name of ${nameRule}, not '${text}'`)
}

/** HOST:PORT, or a unix socket's path, which has a slash; as configuration files have it. @throws UsageError */
export function readAddress(option: string, text: string): string {
  if (text.includes('/') || readHostPort(option, text) !== undefined) return text
  throw new UsageError(`${option} takes HOST:PORT or a socket's path, which has a slash, not '${text}'`)
}

/** `ADDR,ADDR…`, as configuration files have it. @throws UsageError */
export function readAddresses(option: string, text: string): string {
  const all = splitAddresses(text)
  if (all.length > addressesAtMost) throw new UsageError(`${option} takes at most ${addressesAtMost} addresses`)
  for (const address of all) readAddress(option, address)
  return text
}

/** What may be left out, but not be empty. @throws UsageError */
export function filled<Name extends string>(line: CommandLine<Name>, name: Name): string | undefined {
  const text = lastValue(line, name)
  if (text === '') throw new UsageError(`--${name} is empty`)
  return text
}

/** @throws UsageError */
export function readTimeout(text: string | undefined): number | undefined {
  return text === undefined ? undefined : readTime('--timeout', text)
}

/** The words behind a verb. @throws UsageError where there are more or less */
export function readWords(verb: string, words: readonly string[], shape: string, least: number, most = least): void {
  if (words.length >= least && words.length <= most) return
  const given = words.length === 0 ? 'none' : words.map(word => `'${word}'`).join(' ')
  throw new UsageError(`${verb} takes ${shape.trim() === '' ? 'options only' : shape.trim()}, but was given ${given}`)
}

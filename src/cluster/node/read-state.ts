import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/** A process that says nothing for so long hangs, in seconds: one that lives says something each second (`StateFile`). */
export const hangsAfter = 6

/** What a state file says of its process. */
export interface ReadState {
  pid: number
  /** Whether it has said nothing for too long. */
  hangs: boolean
}

/**
 * The process that writes a state file, where its command line has all of these words: a number alone may be anybody's. Undefined where there is
 * none, or it is another one.
 */
export function processOf(path: string, words: readonly string[]): ReadState | undefined {
  const state = readState(path)
  if (state === undefined) return undefined
  try {
    const given = readFileSync(`/proc/${state.pid}/cmdline`, 'utf8').split('\0')
    return words.every(word => given.includes(word)) ? state : undefined
  } catch {
    return undefined
  }
}

function readState(path: string): ReadState | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
  const [, pid] = /^pid=(\d{1,10})$/m.exec(text) ?? []
  const [, beat] = /^beat=(\d{1,15})$/m.exec(text) ?? []
  if (pid === undefined) return undefined
  return { pid: Number(pid), hangs: beat === undefined || uptime() - Number(beat) > hangsAfter }
}

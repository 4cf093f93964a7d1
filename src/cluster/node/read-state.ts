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

/** Undefined where there is none, or it is not one of ours. */
export function readState(path: string): ReadState | undefined {
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

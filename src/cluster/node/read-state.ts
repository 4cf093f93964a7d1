import { readFileSync } from 'node:fs'

/** What a state file says of its process (`StateFile`); undefined where there is none. */
export function readPid(path: string): number | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
  const [, pid] = /^pid=(\d{1,10})$/m.exec(text) ?? []
  return pid === undefined ? undefined : Number(pid)
}

import { execFile } from 'node:child_process'

/**
 * Whether a process holds a lock (flock(2)) on a file; undefined where that cannot be known. Asked without taking one that keeps others out
 * for long: a shared one, for a moment.
 */
export function isLocked(path: string): Promise<boolean | undefined> {
  return new Promise(resolve => {
    // 75: somebody has it
    execFile('flock', ['-s', '-n', '-E', '75', path, 'true'], error => {
      if (error === null) resolve(false)
      else resolve(error.code === 75 ? true : undefined)
    })
  })
}

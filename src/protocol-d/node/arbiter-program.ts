import { spawn } from 'node:child_process'
import { deadline } from '../../link/deadline.js'
import type { Limits } from '../../link/limits.js'
import { printable } from '../../printable.js'
import type { Arbiter } from './arbiter.js'

/** How much is kept of what the program writes, in characters. */
const wordsAtMost = 4096

/**
 * An arbiter that is a program, as DRBD's `fence-peer` handler is one. It is called with what it is asked, `alone` or `equal`, and the number of
 * the node's promotion; status 0 is yes. What it writes to standard error last is the reason of a no.
 */
export const arbiterProgram = (path: string): Arbiter => ({
  mayGoOnAlone: (promotion, limits) => run(path, ['alone', `${promotion}`], limits),
  isEqual: (promotion, limits) => run(path, ['equal', `${promotion}`], limits),
})

function run(path: string, args: readonly string[], limits: Limits): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) => reject(new Error(`the arbiter ${printable(path)} ${why}`, { cause }))
    // in a group of its own, so that what it has started ends with it
    const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
    let words = ''
    const limit = deadline(limits, ({ why, cause }) => {
      if (child.pid !== undefined) kill(child.pid)
      fail(`was ${why}`, cause)
    })
    const end = () => limit[Symbol.dispose]()
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-wordsAtMost)
    })
    child.once('error', error => {
      end()
      fail(`cannot be run: ${printable(error.message)}`, error)
    })
    child.once('close', (status, by) => {
      end()
      const reason = words.trim().split('\n').at(-1) || 'it does not say why'
      if (status === 0) resolve()
      else fail(`says no (${status ?? by}): ${printable(reason)}`)
    })
  })
}

function kill(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended meanwhile
  }
}

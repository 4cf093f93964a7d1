import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'

/** How a command ended. */
export interface Ended {
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** A command that stays until it is told to end. */
export interface Staying {
  child: ChildProcess
  stdout(): string
  /** Waits until standard output matches. */
  until(pattern: RegExp): Promise<void>
  ended: Promise<Ended>
}

/** Hears what a command says. */
export function staying(child: ChildProcess): Staying {
  let [stdout, stderr] = ['', '']
  child.stdout!.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr!.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  const ended = new Promise<Ended>(resolve => {
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }))
  })
  return {
    child,
    stdout: () => stdout,
    async until(pattern) {
      while (!pattern.test(stdout)) {
        if (child.exitCode !== null) throw new Error(`it ended without ${pattern}: ${stdout}${stderr}`)
        await delay(10)
      }
    },
    ended,
  }
}

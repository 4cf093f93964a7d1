import { execFile } from 'node:child_process'

export interface Ran {
  status: number
  stdout: string
  stderr: string
}

/** Runs a program to its end. @throws Error where it cannot be run, takes longer than the limit (in milliseconds), or writes too much */
export type RunProgram = (program: string, args: readonly string[]) => Promise<Ran>

const outputAtMost = 4 * 1024 * 1024

export const runProgram =
  (timeout: number): RunProgram =>
  (program, args) =>
    new Promise((resolve, reject) => {
      const options = { timeout, maxBuffer: outputAtMost, killSignal: 'SIGKILL' as const }
      execFile(program, args, options, (error, stdout, stderr) => {
        const status = error === null ? 0 : error.code
        if (typeof status === 'number') resolve({ status, stdout, stderr })
        else reject(new Error(`${program}: ${error?.killed ? 'it took too long' : error?.message}`, { cause: error }))
      })
    })

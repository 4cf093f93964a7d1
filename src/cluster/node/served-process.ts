import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { printable } from '../../printable.js'
import { OcfFailure } from '../ocf-failure.js'

/** How often it looks, in milliseconds. */
const lookInterval = 50
/** How much of its log is shown, in bytes. */
const shownAtMost = 4096

export interface ServedProcess {
  program: string
  args: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  /** A file for what it writes. */
  log: string
}

/** Starts a process that stays when this one has ended, and waits until it is ready. @throws OcfFailure where it ends, or is not in time */
export async function startProcess(
  { program, args, env, log }: ServedProcess,
  isReady: () => Promise<boolean>,
  timeout: number,
): Promise<void> {
  const output = openSync(log, 'w', 0o600)
  const child = spawn(program, args, { stdio: ['ignore', output, output], detached: true, env })
  closeSync(output)
  let ended: string | undefined
  child.once('error', error => {
    ended = error.message
  })
  child.once('exit', (status, by) => {
    ended = `it ended (${status ?? by})`
  })
  const end = performance.now() + timeout
  while (ended === undefined && performance.now() < end) {
    if (await isReady()) {
      child.unref()
      return
    }
    await pause(lookInterval)
  }
  if (ended === undefined) child.kill('SIGKILL')
  const why = ended ?? `it was not ready in ${timeout} ms`
  throw new OcfFailure('genericError', `${printable(why)}: ${lastLine(log)}`)
}

/** Ends a process by SIGTERM, and by SIGKILL where it hangs or takes too long. @throws OcfFailure where it does not end */
export async function stopProcess(
  pid: number,
  isGone: () => Promise<boolean>,
  { timeout, hangs }: { timeout: number; hangs: boolean },
): Promise<void> {
  // the last part of the time is for the one that has no choice
  const limits = [...(hangs ? [] : ([['SIGTERM', timeout * 0.7]] as const)), ...([['SIGKILL', timeout * 0.2]] as const)]
  for (const [signal, limit] of limits) {
    try {
      process.kill(pid, signal)
    } catch {
      // it has ended
    }
    const end = performance.now() + limit
    do {
      if (await isGone()) return
      await pause(lookInterval)
    } while (performance.now() < end)
  }
  throw new OcfFailure('genericError', `the process ${pid} does not end`)
}

function lastLine(log: string): string {
  try {
    const text = readFileSync(log).subarray(-shownAtMost).toString('utf8').trim()
    return printable(text.split('\n').at(-1) ?? '') || 'it wrote nothing'
  } catch {
    return 'its log cannot be read'
  }
}

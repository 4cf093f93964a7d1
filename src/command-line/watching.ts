import { setTimeout as delay } from 'node:timers/promises'
import { interruptible } from './interruption.js'
import type { Io } from './io.js'
import { fullScreen } from './redrawn.js'

/** What was seen: the exit status that it stands for, and what is written. */
export interface Look {
  status: number
  lines: readonly string[]
}

export interface WatchOptions {
  /** Looks again and again, until interrupted. */
  watch: boolean
  /** Lines are for a program: nothing is redrawn. */
  json: boolean
  look(signal: AbortSignal): Promise<Look>
  /** What is written where nothing can be seen, as who watches waits for it; undefined where that is the command's end. */
  unseen(error: unknown): Look | undefined
}

/** How often it looks, in milliseconds. */
const interval = 1000

/** Looks, and writes what is seen; who watches on a terminal has it redrawn. @returns the exit status of the last look */
export async function watching(io: Io, { watch, json, look, unseen }: WatchOptions): Promise<number> {
  using interruption = interruptible(io)
  const { signal } = interruption
  const isLive = watch && !json && io.isTerminal(1) && io.env.TERM !== 'dumb'
  for (;;) {
    const { status, lines } = await look(signal).catch((error: unknown): Look => {
      if (interruption.status !== undefined) return { status: interruption.status, lines: [] }
      const seen = watch ? unseen(error) : undefined
      if (seen === undefined) throw error
      return seen
    })
    if (isLive && !signal.aborted) io.write(1, fullScreen(lines, io.size()))
    else if (lines.length > 0) io.write(1, lines.map(line => `${line}\n`).join(''))
    if (!watch || signal.aborted) return status
    await delay(interval, undefined, { signal }).catch(() => {})
    if (signal.aborted) return status
  }
}

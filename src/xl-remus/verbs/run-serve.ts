import { StateFile } from '../../cluster/node/state-file.js'
import { remusView } from '../../cluster/remus-view.js'
import { certificates } from '../../command-line/certificates.js'
import { complain } from '../../command-line/complain.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { NewestLine } from '../../command-line/newest-line.js'
import type { ServedStatus } from '../../protocol-d/control/served-status.js'
import { arbiterProgram } from '../../protocol-d/node/arbiter-program.js'
import { ServedDisk } from '../../protocol-d/node/serve-disk.js'
import type { ServeCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { pairName } from '../pair-name.js'
import { statusText, toJson } from '../status-text.js'

/** Serves until it is interrupted; a line says whenever something has changed. No reader of the lines holds the guest's disk up, or ends it. */
export async function runServe(command: ServeCommand, io: Io): Promise<number> {
  const { kind: _, pairFile, tls, deadAfter, arbiter, stateFile, json, ...options } = command
  using interruption = interruptible(io)
  await using served = await ServedDisk.serve({
    ...options,
    pair: pairName(pairFile),
    tls: tls === undefined ? undefined : certificates(tls),
    timeout: deadAfter,
    arbiter: arbiter === undefined ? undefined : arbiterProgram(arbiter),
  })
  using state =
    stateFile === undefined ? undefined : new StateFile(stateFile, () => viewOf(served.status()), sayFailed(io))
  const lines = new NewestLine(line => io.writeLater(line))
  let before = ''
  let isDue = false
  const say = () => {
    isDue = false
    state?.write()
    const status = served.status()
    // what only counts is no news
    const now = statusText({ ...status, ...counts })
    if (now === before) return
    before = now
    lines.put(json ? toJson(status) : `${statusText(status)}\n`)
  }
  const stop = served.onChange(() => {
    if (isDue) return
    isDue = true
    setImmediate(say)
  })
  say()
  const { signal } = interruption
  // it may have come while the node was opened
  if (!signal.aborted) await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
  stop()
  return interruption.status ?? exitStatus('done')
}

const viewOf = (status: ServedStatus) => ({ ...remusView(status), state: statusText(status) })

const sayFailed = (io: Io) => (error: Error) =>
  complain(io, 'xl-remus', `the state file cannot be written: ${error.message}`)

const counts = {
  checkpoint: 0,
  differing: 0,
  toCopy: 0,
  openEpoch: 0,
  unacknowledged: 0,
  unsent: 0,
  clients: 0,
} as const

import { certificates } from '../../command-line/certificates.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { NewestLine } from '../../command-line/newest-line.js'
import { servingMetrics } from '../../command-line/serving-metrics.js'
import { remusFamilies } from '../../metrics/remus-families.js'
import { ServedDisk } from '../../protocol-d/node/serve-disk.js'
import type { ServeCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { pairName } from '../pair-name.js'
import { statusText, toJson } from '../status-text.js'

/** Serves until it is interrupted; a line says whenever something has changed. No reader of the lines holds the guest's disk up, or ends it. */
export async function runServe(command: ServeCommand, io: Io): Promise<number> {
  const { kind: _, pairFile, tls, deadAfter, metrics, json, ...options } = command
  using interruption = interruptible(io)
  await using served = await ServedDisk.serve({
    ...options,
    pair: pairName(pairFile),
    tls: tls === undefined ? undefined : certificates(tls),
    timeout: deadAfter,
  })
  const families = () => remusFamilies(command.name, served.status(), served.disk.counts)
  await using _metrics = await servingMetrics('xl-remus', metrics, families)
  const lines = new NewestLine(line => io.writeLater(line))
  let before = ''
  let isDue = false
  const say = () => {
    isDue = false
    const status = served.status()
    // what only counts is no news
    const now = statusText({ ...status, ...counts })
    if (now === before) return
    before = now
    lines.put(json ? toJson(status) : `${statusText(status)}\n`)
  }
  const stop = served.disk.onChange(() => {
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

const counts = {
  checkpoint: 0,
  differing: 0,
  toCopy: 0,
  openEpoch: 0,
  unacknowledged: 0,
  unsent: 0,
  clients: 0,
} as const

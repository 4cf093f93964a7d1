import { prepareOverlays } from '../../colo/node/prepare-overlays.js'
import type { Io } from '../../command-line/io.js'
import { printable } from '../../printable.js'
import type { PrepareCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { reporterFor } from '../output/reporter-for.js'
import { withStatus } from '../refusal.js'

/** Makes the overlays of a secondary's disk; those that are there and empty stay. */
export async function runPrepare({ size, active, hidden, json }: PrepareCommand, io: Io): Promise<number> {
  try {
    await prepareOverlays([{ active, hidden, size }])
  } catch (error) {
    throw withStatus(error)
  }
  const text = `${printable(active)} and ${printable(hidden)} are ready: empty overlays`
  reporterFor(json, io).say(text, { event: 'prepared', active, hidden })
  return exitStatus('done')
}

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
export const collectGarbage: () => void = runInNewContext('gc')

/** How many bytes of buffers are in use, without those that only wait to be collected. */
export function keptBuffers(): number {
  // The first collection may leave the sweep of buffers under way; the second ends it.
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

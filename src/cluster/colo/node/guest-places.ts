import { join } from 'node:path'
import type { OcfEnvironment } from '../../ocf-environment.js'

/** Where a guest's process keeps what is gone at the next boot. */
export const guestPlaces = (folder: string) => ({
  /** Locked as long as the process, or its QEMU, lives. */
  lockFile: join(folder, 'lock'),
  stateFile: join(folder, 'state'),
  controlSocket: join(folder, 'control.sock'),
  logFile: join(folder, 'log'),
})

/** Where it keeps what is not. */
export function foldersOf({ instance, parameters }: OcfEnvironment): { records: string; overlays: string } {
  const { overlays = '', records = join('/var/lib/xenlight/colo', instance) } = parameters
  return { records, overlays }
}

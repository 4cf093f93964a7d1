import type { DiskTarget } from '../libxl/choose-backend.js'
import type { LibxlError } from '../libxl/libxl-error.js'
import { refuseSharedDevices } from '../libxl/refuse-shared-devices.js'
import { isTargetLookedAt, withBackend, withDefaults } from '../libxl/resolve-disk.js'
import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import type { Diagnostic } from '../xlu/diagnostic.js'
import type { Guest } from './guest.js'
import type { Io } from './io.js'
import type { PlacedDisk } from './placed-disk.js'
import { libxlRefusal } from './refusal.js'

export interface ResolveOptions {
  guest: Guest
  offline: boolean
  /** The domain is being built; else the disks are plugged into a running one. */
  create: boolean
  /** A URL is the name of a file. */
  libxlExact: boolean
}

/** The disks with libxl's defaults and backends; nothing where libxl refuses any, each of which is told of. */
export function resolveDisks(
  disks: readonly PlacedDisk[],
  { guest, offline, create, libxlExact }: ResolveOptions,
  io: Io,
  diagnostics: Diagnostic[],
): ResolvedDisk[] | undefined {
  const { domid, domainType, domains } = guest
  const context = { domid, domainType, create, libxlExact, domidOf: (name: string) => domains.get(name) }
  const examine = offline ? guessTarget : (path: string) => io.examine(path)
  const resolved = disks.flatMap(({ disk, at }) => {
    try {
      const completed = withDefaults(disk, context)
      const { target, reason = '' } = isTargetLookedAt(completed, context)
        ? examine(completed.pdevPath ?? '')
        : { target: 'missing' as const }
      return [withBackend(completed, context, target, reason)]
    } catch (error) {
      diagnostics.push(libxlRefusal(error, at))
      return []
    }
  })
  if (resolved.length < disks.length) return undefined
  try {
    refuseSharedDevices(resolved)
    return resolved
  } catch (error) {
    const { vdev } = error as LibxlError
    const refused = disks.findLast(({ disk }) => disk.vdev === vdev) ?? disks[0]!
    diagnostics.push(libxlRefusal(error, refused.at))
    return undefined
  }
}

/** What a target probably is, by its path alone. */
export const guessTarget = (path: string): { target: DiskTarget; reason?: string } => ({
  target: path.startsWith('/dev/') ? 'block' : 'file',
})

import { blockdevWarnings } from '../../dm-args/disk-warnings.js'
import { type ProtectedDisk, protectDisks } from '../../dm-args/protect/protect-disk.js'
import type { DiskTarget } from '../../libxl/choose-backend.js'
import type { LibxlError } from '../../libxl/libxl-error.js'
import type { Diagnostic } from '../../xlu/diagnostic.js'
import type { ProtectCommand } from '../command.js'
import type { Guest } from '../guest.js'
import type { Io } from '../io.js'
import type { DisksRead, PlacedDisk } from '../placed-disk.js'
import { libxlRefusal, remark } from '../refusal.js'
import { resolveDisks } from '../resolve-disks.js'
import { groupOf } from './group-of.js'

/** A guest's disks once an agent serves them. */
export interface ProtectedGuest {
  group: string
  disks: PlacedDisk[]
  /** What the agent is to serve. */
  served: { name: string; image: string; format: 'raw' | 'qcow2' }[]
}

/** The guest, and this host. */
interface Surroundings {
  guest: Guest
  offline: boolean
  targetOf: (path: string) => DiskTarget
  io: Io
}

/** The disks with an agent's exports for targets; nothing where one cannot have that, each of which is told of. */
export function protectGuest(
  disks: readonly PlacedDisk[],
  read: DisksRead,
  protect: ProtectCommand,
  { guest, offline, targetOf, io }: Surroundings,
): ProtectedGuest | undefined {
  const { diagnostics } = read
  const group = groupOf(protect, read)
  if (group === undefined) return undefined
  const records = disks.map(({ disk }) => disk)
  const results = protectDisks(records, { group, run: protect.run, targetOf })
  for (const [index, result] of results.entries()) tell(result, disks[index]!, diagnostics)
  if (results.some(({ outcome }) => outcome === 'refused')) return undefined
  const placed = results.map((result, index) => ({ result, disk: result.disk, at: disks[index]!.at }))
  const rewritten = placed.filter(({ result }) => result.outcome === 'protected')
  // whether the guest would have them at all, which a record alone does not say
  const resolved = resolveDisks(rewritten, { guest, offline, create: true, libxlExact: false }, io, diagnostics)
  if (resolved === undefined) return undefined
  try {
    blockdevWarnings(resolved, guest)
  } catch (error) {
    const { vdev } = error as LibxlError
    diagnostics.push(libxlRefusal(error, (rewritten.find(({ disk }) => disk.vdev === vdev) ?? rewritten[0]!).at))
    return undefined
  }
  const served = results.flatMap(result =>
    result.outcome === 'protected' ? [{ name: result.disk.vdev!, image: result.image, format: result.format }] : [],
  )
  return { group, disks: placed.map(({ disk, at }) => ({ disk, at })), served }
}

function tell(result: ProtectedDisk, { disk, at }: PlacedDisk, diagnostics: Diagnostic[]): void {
  if (result.outcome === 'left') {
    const message = `disk ${disk.vdev} is left as it is: ${result.why}`
    diagnostics.push(remark('warning', 'left-unprotected', message, at))
  } else if (result.outcome === 'refused') {
    const { field, why, fix } = result
    const message = `disk ${disk.vdev} cannot be protected: ${why}`
    diagnostics.push({ ...remark('error', 'not-protectable', message, at, fix), ...(field !== undefined && { field }) })
  }
}

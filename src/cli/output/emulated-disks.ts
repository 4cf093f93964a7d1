import type { DiskWarning } from '../../dm-args/disk-warnings.js'
import { buildQdiskBackendArgs } from '../../dm-args/qdisk-backend.js'
import type { LibxlError } from '../../libxl/libxl-error.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { Diagnostic, Span } from '../../xlu/diagnostic.js'
import type { Guest } from '../guest.js'
import { libxlRefusal, remark } from '../refusal.js'

/** Disks for a QEMU, the texts that gave them, and where to tell of what is wrong. */
export interface EmulatedDisks {
  disks: readonly ResolvedDisk[]
  /** Of each disk. */
  places: readonly Span[]
  guest: Guest
  diagnostics: Diagnostic[]
}

/** What is built for the disks; its warnings, and its refusal, where the disk stands that they are about. */
export function tellOf<T>(emulated: EmulatedDisks, warningsOf: () => DiskWarning[], build: () => T): T | undefined {
  const { disks, places, diagnostics } = emulated
  const placesByVdev = new Map(disks.map(({ vdev }, index) => [vdev, places[index]!]))
  const placeOf = (vdev: string | undefined): Span => placesByVdev.get(vdev ?? '') ?? wholeSpan(places)
  warnOfType(emulated)
  const warn = (warnings: readonly DiskWarning[]) => {
    for (const { vdev, code, message } of warnings)
      diagnostics.push(remark('warning', code, message.replaceAll('\n', ' '), placeOf(vdev)))
  }
  let warnings: DiskWarning[] = []
  try {
    warnings = warningsOf()
    const built = build()
    warn(warnings)
    return built
  } catch (error) {
    const { vdev, warnings: before = [] } = error as LibxlError
    warn(warnings.slice(0, before.length))
    diagnostics.push(libxlRefusal(error, placeOf(vdev)))
    return undefined
  }
}

function warnOfType({ disks, places, guest, diagnostics }: EmulatedDisks): void {
  if (guest.domainType === 'hvm') return
  const message = `QEMU emulates no disks for a guest of type ${guest.domainType}`
  const backend = buildQdiskBackendArgs(disks, guest).join(' ')
  const served = guest.domid === 0 ? 'of its own: --domid N shows its arguments' : `with ${backend}`
  const hint = backend ? `its qdisks need a QEMU ${served}` : 'only those of type hvm have such arguments'
  diagnostics.push(remark('warning', 'not-emulated', message, wholeSpan(places), hint))
}

export const wholeSpan = (places: readonly Span[]): Span => ({ ...places[0]!, end: places.at(-1)!.end })

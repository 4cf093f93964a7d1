import type { AddDiskOptions } from '../../libxl/store/add-disk-options.js'
import { addDisks } from '../../libxl/store/add-disks.js'
import type { Diagnostic } from '../../xlu/diagnostic.js'
import type { ApplyCommand } from '../command.js'
import { done, refused } from '../exit-status.js'
import { guestOf } from '../guest.js'
import type { Io } from '../io.js'
import type { DisksRead } from '../placed-disk.js'
import { readDisks } from '../read-disks.js'
import { hintsOnXen } from '../refusal.js'
import { report } from '../report.js'
import { writePieces } from '../write-pieces.js'
import { attachRefusals } from './attach-refusals.js'
import { openTrialXen } from './open-trial-xen.js'
import { renderAttached, renderTrial } from './render-attached.js'

/** Attaches disks to a running domain, all or none, and says what it did. */
export async function runApply(command: ApplyCommand, io: Io): Promise<number> {
  const read = readDisks(command, io)
  const { diagnostics } = read
  const domainType = typeOfGuest(command, read)
  const tell = () => report(command.strict ? diagnostics.map(asError) : diagnostics, command.diagnostics, read.file, io)
  const isRefused = () => diagnostics.some(({ severity }) => severity === 'error' || command.strict)
  if (read.disks === undefined || read.disks.length === 0 || isRefused()) {
    tell()
    return read.disks === undefined || isRefused() ? refused : done
  }

  const trialType = domainType ?? 'hvm'
  await using xen = command.dryRun ? await openTrialXen(command, trialType, io) : await io.openXen()
  const options: AddDiskOptions = {
    domid: command.guest.domid,
    domainType: command.dryRun ? trialType : domainType,
    host: xen.host,
    wait: !command.dryRun,
    libxlExact: command.libxlExact,
    signal: xen.interrupted,
  }
  const { disks } = read
  const records = disks.map(({ disk }) => disk)
  const attached = await addDisks(xen.store, records, options).catch(error => {
    diagnostics.push(...attachRefusals(error, disks, command.dryRun ? undefined : hintsOnXen))
    return undefined
  })
  tell()
  if (attached === undefined) return refused
  const isTrial = command.dryRun && command.output === 'text'
  writePieces(1, isTrial ? renderTrial(attached, trialType) : renderAttached(attached, command.output), io)
  return done
}

/** What was said of it; without that, the store knows. */
function typeOfGuest({ guest }: ApplyCommand, { config, diagnostics }: DisksRead): AddDiskOptions['domainType'] {
  return config === undefined ? guest.domainType : guestOf(guest, config, diagnostics).domainType
}

const asError = (diagnostic: Diagnostic): Diagnostic => ({ ...diagnostic, severity: 'error' })

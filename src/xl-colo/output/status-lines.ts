import type { Seen } from '../../colo/disk-state.js'
import type { ColoDiskProblem } from '../../colo/domain-disks.js'
import type { PairStatus } from '../../colo/pair-status.js'
import { printable } from '../../printable.js'
import { diskText, overlayText } from './disk-text.js'

/** What is known of a pair, for people. */
export function statusLines(status: PairStatus, problems: readonly ColoDiskProblem[]): string[] {
  const { epoch, primary, secondary, disks, splitBrain } = status
  const lines = [`epoch ${epoch}`, `primary: ${sideText(primary)}`, `secondary: ${sideText(secondary)}`]
  if (splitBrain) lines.push('SPLIT BRAIN: both guests run, each on its own disk: stop one of them now')
  for (const { disk, state, promotable, overlays } of disks) {
    lines.push(diskText(disk, state))
    if (promotable.yes) lines.push('  can be taken over')
    else if (secondary.sight !== undefined) {
      const force = promotable.canBeForced ? ' (--force could)' : ''
      lines.push(`  cannot be taken over: it ${printable(promotable.why)}${force}`)
    }
    for (const fill of overlays) lines.push(`  ${overlayText(fill)}`)
  }
  for (const { devid, vdev = `device ${devid}`, why } of problems)
    lines.push(`${printable(vdev)}: cannot be protected (${printable(why)})`)
  return lines
}

function sideText({ sight, error }: Seen): string {
  if (sight === undefined) return `does not answer (${printable(error.message)})`
  const { running, listening } = sight
  return `its guest ${running ? 'runs' : 'stands still'}${listening === undefined ? '' : `, listens for epoch ${listening}`}`
}

import type { DiskState } from '../../colo/disk-state.js'
import type { OverlayFill } from '../../colo/overlay-fill.js'
import { bytesText } from '../../command-line/bytes-text.js'
import { progressText } from '../../command-line/progress-text.js'
import { printable } from '../../printable.js'

/** One line of a disk: its name, its state, and why. */
export const diskText = (disk: string, state: DiskState): string => `${printable(disk)}: ${stateText(state)}`

function stateText(state: DiskState): string {
  switch (state.kind) {
    case 'syncing':
      return `syncing ${progressText(state)} (${printable(state.why)})`
    case 'protected': {
      const { checkpoint } = state
      const last = checkpoint === undefined ? '' : `, checkpoint ${checkpoint.number}`
      return `protected (${printable(state.why)}${last})`
    }
    default:
      return `${state.kind} (${printable(state.why)})`
  }
}

export function overlayText({ overlay, file, used, size, free }: OverlayFill): string {
  const room = free === undefined ? '' : `, ${bytesText(free)} free`
  const taken = used === undefined ? 'unknown' : bytesText(used)
  return `${overlay} overlay ${printable(file)}: ${taken} used, at most ${bytesText(size)}${room}`
}

import type { DiskState } from '../../colo/disk-state.js'
import type { OverlayFill } from '../../colo/overlay-fill.js'
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

/** `[#####     ] 50% 32 MiB of 64 MiB, 3 s left` */
export function progressText(progress: { current: number; total: number; secondsLeft: number | undefined }): string {
  const { current, total, secondsLeft } = progress
  const part = total > 0 ? Math.min(1, current / total) : 1
  const bar = '#'.repeat(Math.floor(part * barWidth)).padEnd(barWidth)
  const left = secondsLeft === undefined ? '' : `, ${secondsLeft} s left`
  return `[${bar}] ${Math.floor(part * 100)}% ${bytesText(current)} of ${bytesText(total)}${left}`
}

const barWidth = 10

const scales = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export function bytesText(bytes: number): string {
  let scale = 0
  let value = bytes
  for (; value >= 1024 && scale < scales.length - 1; scale++) value /= 1024
  return `${scale === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${scales[scale]}`
}

export function overlayText({ overlay, file, used, size, free }: OverlayFill): string {
  const room = free === undefined ? '' : `, ${bytesText(free)} free`
  const taken = used === undefined ? 'unknown' : bytesText(used)
  return `${overlay} overlay ${printable(file)}: ${taken} used, at most ${bytesText(size)}${room}`
}

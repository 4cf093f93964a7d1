import { bytesText } from './bytes-text.js'
import { durationText } from './duration-text.js'

/** `[#####     ] 50% 32 MiB of 64 MiB, 3 s left` */
export function progressText(progress: { current: number; total: number; secondsLeft: number | undefined }): string {
  const { current, total, secondsLeft } = progress
  const part = total > 0 ? Math.min(1, current / total) : 1
  const bar = '#'.repeat(Math.floor(part * barWidth)).padEnd(barWidth)
  const left = secondsLeft === undefined ? '' : `, ${durationText(secondsLeft)} left`
  return `[${bar}] ${Math.floor(part * 100)}% ${bytesText(current)} of ${bytesText(total)}${left}`
}

const barWidth = 10

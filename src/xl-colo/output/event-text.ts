import type { PairEvent } from '../../colo/pair/pair-event.js'
import { progressText } from '../../command-line/progress-text.js'
import { printable } from '../../printable.js'
import { diskText, overlayText } from './disk-text.js'

/** An event as a line. */
export function eventText(event: PairEvent): string {
  switch (event.type) {
    case 'plan': {
      const { disk, plan } = event
      const what = { none: 'nothing', changes: 'what was changed', full: 'all' }[plan.kind]
      return `${printable(disk)}: ${what} is to be copied (${printable(plan.why)})`
    }
    case 'progress':
      return `${printable(event.disk)}: ${progressText(event)}`
    case 'state':
      return diskText(event.disk, event.state)
    case 'checkpoint':
      return checkpointText(event.checkpoint.number, event.pause)
    case 'filling':
      return `warning: ${printable(event.disk)}: its file system is nearly full: ${overlayText(event.fill)}`
    case 'cut':
      return `warning: the secondary is cut off: ${printable(event.why)}`
    case 'retry':
      return `warning: not protected: ${printable(event.why)}; tried again in ${event.after} ms`
  }
}

export const checkpointText = (number: number, pause: number): string =>
  `checkpoint ${number}: the guest stood still for ${pause.toFixed(1)} ms`

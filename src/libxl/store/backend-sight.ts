import { wordsOf } from './backend-failure.js'
import { isClosing, showState } from './backend-state.js'
import type { DiskDevice } from './disk-device.js'

/** What a backend showed when it was looked at. */
export interface Sight {
  state?: number | undefined
  online?: string | undefined
  script?: string | undefined
  error?: string | undefined
}

/** What went wrong since a backend was looked at before. One that was told to close may close, and go. */
export function failureBetween(device: DiskDevice, before: Sight, now: Sight): string | undefined {
  const wasTold = (now.online ?? before.online) === '0'
  const isGone = now.state === undefined && before.state !== undefined
  const gaveUp = now.state !== undefined && isClosing(now.state) && !isClosing(before.state ?? 0)
  const what: string[] = []
  if (!wasTold && isGone) what.push("the backend's directory is gone")
  if (!wasTold && gaveUp) what.push(`the backend gave the device up, ${showState(now.state)}`)
  const script = now.script === before.script && what.length === 0 ? undefined : now.script
  // an earlier device of the same number may have left an error: a new device's first look takes it for known
  const isKnown = !('error' in before) || now.error === before.error
  const error = isKnown && what.length === 0 ? undefined : now.error
  what.push(...wordsOf(device, { script, error }))
  return what.length === 0 ? undefined : `${device.paths.backend}: ${what.join('; ')}`
}

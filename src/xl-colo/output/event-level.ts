import type { DiskState } from '../../colo/disk-state.js'
import type { PairEvent } from '../../colo/pair/pair-event.js'
import type { LogLevel } from '../../service/log-level.js'

const ofState: Partial<Record<DiskState['kind'], LogLevel>> = {
  degraded: 'warning',
  unprotected: 'warning',
  outdated: 'warning',
  unknown: 'error',
  inconsistent: 'error',
  fenced: 'error',
}

/** How much an event matters. */
export function eventLevel(event: PairEvent): LogLevel {
  if (event.type === 'state') return ofState[event.state.kind] ?? 'info'
  return event.type === 'filling' || event.type === 'retry' ? 'warning' : 'info'
}

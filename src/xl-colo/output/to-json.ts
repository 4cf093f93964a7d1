import type { DiskState } from '../../colo/disk-state.js'
import type { ColoDiskProblem } from '../../colo/domain-disks.js'
import type { PairEvent } from '../../colo/pair/pair-event.js'
import type { DiskStatus, PairStatus } from '../../colo/pair-status.js'

/** The shape of an event: docs/xl-colo.md has it, and it stays. */
export function eventJson(event: PairEvent): object {
  switch (event.type) {
    case 'plan':
      return { event: 'plan', disk: event.disk, copy: event.plan.kind, why: event.plan.why }
    case 'progress': {
      const { disk, current, total, secondsLeft = null } = event
      return { event: 'progress', disk, current, total, secondsLeft }
    }
    case 'state':
      return { event: 'state', disk: event.disk, ...stateJson(event.state) }
    case 'checkpoint':
      return { event: 'checkpoint', number: event.checkpoint.number, pause: event.pause }
    case 'filling': {
      const { overlay, file, used = null, size, free = null } = event.fill
      return { event: 'filling', disk: event.disk, overlay, file, used, size, free }
    }
    case 'cut':
      return { event: 'cut', why: event.why }
    case 'retry':
      return { event: 'retry', why: event.why, after: event.after }
  }
}

function stateJson(state: DiskState): object {
  const { kind, why } = state
  if (kind !== 'syncing') return { state: kind, why }
  const { current, total, secondsLeft = null } = state
  return { state: kind, why, current, total, secondsLeft }
}

/** The shape of `status --json`. */
export function statusJson(
  status: PairStatus,
  { exit, problems }: { exit: number; problems: readonly ColoDiskProblem[] },
): object {
  const { running, splitBrain, epoch, primary, secondary } = status
  return {
    exit,
    epoch,
    splitBrain,
    primary: { running: running.primary ?? null, error: primary.error?.message ?? null },
    secondary: { running: running.secondary ?? null, error: secondary.error?.message ?? null },
    disks: status.disks.map(diskJson),
    problems: problems.map(({ devid, vdev = null, reason, why }) => ({ devid, vdev, reason, why })),
  }
}

function diskJson({ disk, state, promotable, overlays }: DiskStatus): object {
  return {
    disk,
    ...stateJson(state),
    promotable: promotable.yes,
    promotableByForce: promotable.yes || promotable.canBeForced,
    whyNotPromotable: promotable.yes ? null : promotable.why,
    overlays: overlays.map(({ overlay, file, used = null, size, free = null }) => ({
      overlay,
      file,
      used,
      size,
      free,
    })),
  }
}

import type { Placed } from './place-disk.js'
import type { PlacementRules } from './placement-rules.js'

/**
 * The same with a place for each disk whose name has no letter, such as `xvd`: its index is -1, with which QEMU takes
 * the first free one. For a drive that is one of its bus that no drive before it has; for a CD drive that is not made in
 * its turn, one of the first IDE bus that is left in the end. Where none is free it is one that is not there.
 */
export function settlePlaces(placed: readonly Placed[], rules: PlacementRules): readonly Placed[] {
  if (!placed.some(({ on, unit }) => unit === -1 && on !== 'nothing')) return placed
  const taken = { ide: new Set<number>(), scsi: new Set<number>() }
  const drives = placed.map(place => {
    const bus = busInTurn(place, rules)
    return bus === undefined ? place : settle(place, taken[bus], Number.POSITIVE_INFINITY)
  })
  return drives.map(place => (place.on === 'cdrom' && !rules.cdromsInTurn ? settle(place, taken.ide, 2) : place))
}

function busInTurn({ on }: Placed, { cdromsInTurn, scsiInTurn }: PlacementRules): 'ide' | 'scsi' | undefined {
  if (on === 'ide' || (on === 'cdrom' && cdromsInTurn)) return 'ide'
  return on === 'scsi' && scsiInTurn ? 'scsi' : undefined
}

function settle(place: Placed, taken: Set<number>, places: number): Placed {
  const free = place.unit === -1 ? firstFree(taken) : place.unit
  const unit = place.unit === -1 && free >= places ? -1 : free
  taken.add(unit)
  return { ...place, unit }
}

function firstFree(taken: ReadonlySet<number>): number {
  let unit = 0
  while (taken.has(unit)) unit++
  return unit
}

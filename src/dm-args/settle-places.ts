import type { Placed } from './place-disk.js'
import type { PlacementRules } from './placement-rules.js'

/**
 * The same with a place for each disk whose name has no letter, such as `xvd`: its index is -1, with which QEMU takes
 * the first free one. For a drive that is one of IDE's that no drive before it has; for a CD drive that is not made in
 * its turn, one of the first bus that is left in the end. Where none is free it is one that is not there.
 */
export function settlePlaces(placed: readonly Placed[], { cdromsInTurn }: PlacementRules): readonly Placed[] {
  if (!placed.some(isAnywhere)) return placed
  const taken = new Set<number>()
  const drives = placed.map(place => {
    if (place.on !== 'ide' && !(cdromsInTurn && place.on === 'cdrom')) return place
    const unit = isAnywhere(place) ? firstFree(taken) : place.unit
    taken.add(unit)
    return { ...place, unit }
  })
  if (cdromsInTurn) return drives
  return drives.map(place => {
    if (place.on !== 'cdrom') return place
    const free = firstFree(taken)
    const unit = isAnywhere(place) ? (free < 2 ? free : -1) : place.unit
    taken.add(unit)
    return { ...place, unit }
  })
}

const isAnywhere = ({ on, unit }: Placed): boolean => unit === -1 && (on === 'ide' || on === 'cdrom')

function firstFree(taken: ReadonlySet<number>): number {
  let unit = 0
  while (taken.has(unit)) unit++
  return unit
}

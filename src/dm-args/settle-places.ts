import type { Placed } from './place-disk.js'

/**
 * The same with a place for each disk whose name has no letter, such as `xvd`: its index is -1, with which QEMU takes
 * the first free one. For a hard disk that is one of IDE's that no drive before it has; for a CD drive one of the first
 * bus that no device has, as CD drives are made last. Where none is free it is one that is not there.
 */
export function settlePlaces(placed: readonly Placed[]): readonly Placed[] {
  if (!placed.some(isAnywhere)) return placed
  const taken = new Set<number>()
  const hardDisks = placed.map(place => {
    if (place.on !== 'ide') return place
    const unit = isAnywhere(place) ? firstFree(taken) : place.unit
    taken.add(unit)
    return { ...place, unit }
  })
  return hardDisks.map(place => {
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

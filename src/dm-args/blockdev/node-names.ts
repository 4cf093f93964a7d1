import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import { show } from '../../libxl/show-text.js'
import type { ColoNames } from '../colo-names.js'
import { driveId } from '../drive/drive-ids.js'
import type { Emulated } from '../placement/place-disk.js'
import { refuseDisk } from '../refuse-disk.js'

/** The names of a disk's nodes; those of COLO's images are there only on its secondary. */
export interface NodeNames {
  /** What the device reads: with COLO a quorum or a replication, else the image. */
  top: string
  /** The disk's own image. */
  image: string
  active: string
  hidden: string
  /** The file, device or socket below one of the images. */
  takeFileName(image: string): string
}

/** QEMU's limit, of which its ids know nothing. */
const longest = 31

/**
 * Names for all nodes: the ids that the `-drive` form has, so that the same QMP commands reach them, and ones derived
 * from those that give way where a tenant's colo-export has taken them.
 *
 * @throws LibxlError for a colo-export that is too long for a node
 */
export function nodeNames(
  shown: readonly Emulated[],
  coloOf: (disk: ResolvedDisk) => ColoNames,
): (place: Emulated) => NodeNames {
  const taken = new Set<string>()
  for (const place of shown) {
    if (place.role === 'none') taken.add(driveId(place))
    else for (const name of givenNames(place, coloOf(place.disk))) taken.add(name)
  }
  const free = (wanted: string): string => {
    let name = wanted
    for (let count = 1; taken.has(name); count++) name = `${wanted}-${count}`
    taken.add(name)
    return name
  }
  return place => {
    const id = driveId(place)
    const { export: exported, topId } = coloOf(place.disk)
    const takeFileName = (image: string) => free(`${image === exported ? id : image}-file`)
    switch (place.role) {
      case 'none':
        return { top: id, image: id, active: '', hidden: '', takeFileName }
      case 'primary':
        return { top: exported, image: free(id), active: '', hidden: '', takeFileName }
      case 'secondary':
        return {
          top: topId,
          image: exported,
          active: free(`${topId}-active`),
          hidden: free(`${topId}-hidden`),
          takeFileName,
        }
    }
  }
}

function givenNames({ disk, role }: Emulated, { export: exported, topId }: ColoNames): string[] {
  if (exported.length > longest) {
    const why = `the name of a node in QEMU has at most ${longest} characters, colo-export ${show(exported)} has`
    throw refuseDisk('node-name-long', disk, `${why} ${exported.length}`)
  }
  return role === 'secondary' ? [exported, topId] : [exported]
}

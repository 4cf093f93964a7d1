import type { Image } from '../placement/image.js'
import type { Emulated } from '../placement/place-disk.js'
import { type Blockdev, writeback } from './blockdev.js'
import { jsonPath } from './json-text.js'
import type { NodeNames } from './node-names.js'
import { openPath, openSocket, type TargetOf } from './protocol.js'

/**
 * The nodes of a disk, in the order in which QEMU must make them; the last one is what the device reads.
 * Nodes inside of others take over cache and read-only.
 */
export function diskNodes(
  place: Emulated,
  names: NodeNames,
  targetOf: TargetOf | undefined,
  reconnectDelay: number | undefined,
): Blockdev[] {
  const { disk, role, image } = place
  if (image === undefined) return []
  const own = imageNode(image, names, targetOf, reconnectDelay)
  const readOnly = place.on === 'cdrom' || !disk.readwrite
  switch (role) {
    case 'none':
      return [root(own, readOnly)]
    case 'primary':
      return [root(mirror(own, names.top), readOnly)]
    case 'secondary': {
      const qcow2 = (name: string, path: string | undefined, backing: Blockdev | string): Blockdev => ({
        driver: 'qcow2',
        'node-name': name,
        file: openPath(names.takeFileName(name), path!, targetOf),
        backing,
      })
      const hidden = qcow2(names.hidden, disk.hiddenDisk, names.image)
      return [root(own, readOnly), root(replica(qcow2(names.active, disk.activeDisk, hidden), names.top), readOnly)]
    }
  }
}

/** What every node that is not inside of another has. */
const root = ({ driver, 'node-name': name, ...rest }: Blockdev, readOnly: boolean): Blockdev => ({
  driver,
  'node-name': name,
  ...(readOnly && { 'read-only': true }),
  cache: writeback,
  ...rest,
})

/** The primary's two-way mirror; the replica joins as its second child when COLO starts. */
const mirror = (image: Blockdev, name: string): Blockdev => ({
  driver: 'quorum',
  'node-name': name,
  'read-pattern': 'fifo',
  'vote-threshold': 1,
  children: [image],
})

/** The secondary's topmost node: the guest's writes go to the active disk, what the primary's replace to the hidden one. */
const replica = (active: Blockdev, name: string): Blockdev => ({
  driver: 'replication',
  'node-name': name,
  mode: 'secondary',
  'top-id': name,
  file: active,
})

function imageNode(
  image: Image,
  names: NodeNames,
  targetOf: TargetOf | undefined,
  reconnectDelay: number | undefined,
): Blockdev {
  const { image: name } = names
  if (image.format === 'host_device') return { driver: image.format, 'node-name': name, filename: jsonPath(image.path) }
  const fileName = names.takeFileName(name)
  const file = 'path' in image ? openPath(fileName, image.path, targetOf) : openSocket(fileName, image, reconnectDelay)
  return { driver: image.format, 'node-name': name, file }
}

import { printable } from '../../printable.js'
import type { BlockView, ViewedNode } from '../../qmp/block-view.js'
import type { CycleDisk } from '../cycles/disk-sight.js'
import type { Monitors } from '../cycles/monitors.js'
import { viewGuest } from '../cycles/view-guest.js'
import { ReplicationError } from '../replication-error.js'

/** A disk as its guest has it. */
export interface GuestDisk extends CycleDisk {
  /** In bytes. */
  size: number
}

/** No chain is longer. */
const longestChain = 256

/**
 * Finds a group's disks in a QEMU, each by its device's name or by that of a node below it.
 *
 * @throws ReplicationError not-found, wrong-state; QmpError
 */
export async function findGuestDisks(
  { qmp }: Monitors,
  disks: Readonly<Record<string, { node: string }>>,
): Promise<GuestDisk[]> {
  const view = await viewGuest(qmp)
  const backends = view.backends()
  return Object.entries(disks).map(([volume, { node: name }]) => {
    const found =
      backends.find(one => one.name === name) ??
      backends.find(({ root }) => root !== undefined && chainOf(view, root).some(({ nodeName }) => nodeName === name))
    const what = `the disk ${volume}: QEMU has`
    if (found === undefined)
      throw new ReplicationError(
        'not-found',
        `${what} no device or node ${printable(name)} that a device stands on: plug it in, or name another one`,
      )
    if (found.root === undefined)
      throw new ReplicationError('wrong-state', `${what} no medium in ${printable(name)}: insert it`)
    const { virtualSize: size } = found.root
    // what no hub can be told would end the connection, of all guests of this host
    if (!Number.isSafeInteger(size) || size < 1) throw new ReplicationError('qemu', `${what} ${size} bytes of it`)
    return { volume, device: found.name, size }
  })
}

/** A node, and those that stand below it in line: filters' files, backing files. */
function chainOf(view: BlockView, top: ViewedNode): ViewedNode[] {
  const chain = [top]
  for (let node: ViewedNode | undefined = top; chain.length < longestChain; chain.push(node)) {
    node = view.child(node.id, 'backing') ?? view.child(node.id, 'file')
    if (node === undefined) break
  }
  return chain
}

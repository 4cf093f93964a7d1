import { printable } from '../../printable.js'
import type { ViewedNode } from '../../qmp/block-view.js'
import { queryJobs } from '../../qmp/commands/query-jobs.js'
import { ReplicationError } from '../replication-error.js'
import { commandTimeout } from './command-timeout.js'
import type { GroupOptions } from './cycle-options.js'
import { belowJobs, seeDisks } from './disk-sight.js'
import { ownPrefix } from './names.js'
import { viewGuest } from './view-guest.js'

/** A disk that is a quorum. */
export interface LiveDisk {
  volume: string
  quorum: string
  /** In bytes. */
  size: number
  /** The guest's image, the quorum's first child: it has the bitmaps, and the backfill is a copy of it. */
  image: ViewedNode
  /** The nodes of the quorum's children. */
  children: readonly string[]
}

/** Finds a group's disks. @throws ReplicationError not-found, wrong-state; QmpError */
export async function lookAtLiveDisks(options: GroupOptions): Promise<LiveDisk[]> {
  const limits = { timeout: commandTimeout }
  const view = await viewGuest(options.qmp)
  const sights = seeDisks(view, await options.qmp.run(queryJobs, undefined, limits), options)
  return sights.map(({ volume, device, node, state }) => {
    const name = printable(device)
    if (node === undefined) {
      const isMissing = state === 'missing'
      const why = isMissing ? `QEMU has no device ${name}` : `${name} has no medium`
      throw new ReplicationError(isMissing ? 'not-found' : 'wrong-state', why)
    }
    if (node.driver !== 'quorum')
      throw new ReplicationError(
        'wrong-state',
        `${name} is no quorum, but ${printable(node.driver)}: use cycles for it`,
      )
    const children = view.children(node.id)
    const [first] = children.filter(({ node }) => !node.nodeName.startsWith(ownPrefix(options.group, volume)))
    if (first === undefined) throw new ReplicationError('wrong-state', `the quorum of ${name} has no image`)
    return {
      volume,
      quorum: node.nodeName,
      size: node.virtualSize,
      image: belowJobs(view, first.node).at(-1)!,
      children: children.map(({ node }) => node.nodeName),
    }
  })
}

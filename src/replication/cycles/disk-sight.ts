import type { BlockView, ViewedNode } from '../../qmp/block-view.js'
import { type Job, queryJobs } from '../../qmp/commands/query-jobs.js'
import type { Qmp } from '../../qmp/qmp.js'
import { commandTimeout } from './command-timeout.js'
import { ownPrefix } from './names.js'
import { viewGuest } from './view-guest.js'

/** A disk of a guest that is protected. */
export interface CycleDisk {
  /** Its name in the group. */
  volume: string
  /** The guest's device or drive, by its id or path in QEMU. */
  device: string
}

/** What is seen of a disk. */
export interface DiskSight extends CycleDisk {
  /** `missing`: QEMU has no such device; `empty`: it has no medium. */
  state: 'there' | 'missing' | 'empty'
  /** The node that the guest writes to, below what jobs put above it. */
  node: ViewedNode | undefined
  /** The nodes that back it. */
  backing: readonly string[]
  /** The jobs on it that are not ours. */
  jobs: readonly Pick<Job, 'id' | 'type'>[]
}

/** What a running job puts between the guest and its node. */
const jobDrivers = new Set(['copy-before-write', 'backup-top', 'mirror_top', 'commit_top'])
/** No chain is longer. */
const longestChain = 256

/** Looks at a group's disks. @throws QmpError */
export async function lookAtDisks(options: {
  qmp: Qmp
  group: string
  disks: readonly CycleDisk[]
}): Promise<DiskSight[]> {
  const limits = { timeout: commandTimeout }
  const view = await viewGuest(options.qmp)
  return seeDisks(view, await options.qmp.run(queryJobs, undefined, limits), options)
}

/** Finds a group's disks. */
export function seeDisks(
  view: BlockView,
  jobs: readonly Job[],
  { group, disks }: { group: string; disks: readonly CycleDisk[] },
): DiskSight[] {
  const backends = new Map(view.backends().map(({ name, root }) => [name, { root }]))
  const backendOf = (device: string) => {
    // a virtio disk is a part of its device
    const path = device.startsWith('/') ? device : `/machine/peripheral/${device}`
    return backends.get(device) ?? backends.get(path) ?? backends.get(`${path}/virtio-backend`)
  }
  return disks.map(({ volume, device }): DiskSight => {
    const nothing = { volume, device, node: undefined, backing: [], jobs: [] }
    const backend = backendOf(device)
    if (backend === undefined) return { ...nothing, state: 'missing' }
    if (backend.root === undefined) return { ...nothing, state: 'empty' }
    const path = belowJobs(view, backend.root)
    const node = path.at(-1)!
    const ids = new Set(path.flatMap(({ id }) => view.jobsOn(id)))
    const foreign = jobs.filter(({ id }) => ids.has(id) && !id.startsWith(ownPrefix(group, volume)))
    return {
      volume,
      device,
      state: 'there',
      node,
      backing: backingOf(view, node),
      jobs: foreign.map(({ id, type }) => ({ id, type })),
    }
  })
}

/** From a node down to the one that running jobs have not put there. */
export function belowJobs(view: BlockView, top: ViewedNode): ViewedNode[] {
  const path = [top]
  for (let node: ViewedNode | undefined = top; jobDrivers.has(node.driver) && path.length < longestChain; ) {
    node = view.child(node.id, 'file') ?? view.child(node.id, 'backing')
    if (node === undefined) break
    path.push(node)
  }
  return path
}

function backingOf(view: BlockView, top: ViewedNode): string[] {
  const names: string[] = []
  for (let node: ViewedNode | undefined = top; names.length < longestChain; names.push(node.nodeName)) {
    node = view.child(node.id, 'backing')
    if (node === undefined) break
  }
  return names
}

import { printable } from '../../printable.js'
import type { DiskSight } from './disk-sight.js'

/** Something about a disk that its protection did not do, and that has to do with it. */
export interface DiskProblem {
  volume: string
  code: 'no-device' | 'no-medium' | 'snapshot' | 'node-changed' | 'resized' | 'foreign-job'
  /** What is so. */
  what: string
  /** What is to be done. */
  remedy: string
  /** Whether no cycle is taken meanwhile. */
  blocks: boolean
}

/** What a disk was when it was last accepted. */
export interface KnownDisk {
  node: string
  /** In bytes. */
  size: number
}

/** What stands against a cycle of these disks. `known` lacks those that have not been accepted. */
export const findProblems = (sights: readonly DiskSight[], known: ReadonlyMap<string, KnownDisk>): DiskProblem[] =>
  sights.flatMap(sight => problemsOf(sight, known.get(sight.volume)))

function problemsOf(sight: DiskSight, known: KnownDisk | undefined): DiskProblem[] {
  const { volume, state, node, backing, jobs } = sight
  const device = printable(sight.device)
  const problem = (code: DiskProblem['code'], what: string, remedy: string, blocks = true): DiskProblem => ({
    volume,
    code,
    what,
    remedy,
    blocks,
  })
  if (state === 'missing')
    return [
      problem('no-device', `QEMU has no device ${device}`, 'plug it in again, or take the volume out of its group'),
    ]
  if (state === 'empty' || node === undefined)
    return [problem('no-medium', `${device} has no medium`, 'insert it, or take the volume out of its group')]
  const problems: DiskProblem[] = []
  if (known !== undefined && node.nodeName !== known.node) {
    const again = 'pause and resume the protection to take the disk as it is: all of it is sent then'
    if (backing.includes(known.node))
      problems.push(problem('snapshot', `a snapshot was taken of ${device}: the guest writes to another image`, again))
    else problems.push(problem('node-changed', `${device} stands on another node, ${printable(node.nodeName)}`, again))
  }
  if (known !== undefined && node.virtualSize !== known.size)
    problems.push(
      problem(
        'resized',
        `${device} has ${node.virtualSize} bytes now, not ${known.size}`,
        'protect the group anew: a replica keeps its size',
      ),
    )
  for (const { id, type } of jobs) {
    const what = `a ${printable(type)} job that is not ours, ${printable(id)}, works on ${device}`
    // other backups may run beside ours
    if (type === 'backup') problems.push(problem('foreign-job', what, 'nothing: it is left alone', false))
    else problems.push(problem('foreign-job', what, 'wait for its end, or cancel it'))
  }
  return problems
}

import { checkArray, checkText, checkWord, wrongType } from '../check-argument.js'
import { checkDisk } from './check-disk.js'
import { diskBackends } from './disk-words.js'
import type { ResolvedDisk } from './resolved-disk.js'

const backends = diskBackends.filter(backend => backend !== 'unknown')
const flags = ['discardEnable', 'coloEnable', 'coloRestoreEnable', 'trusted'] as const satisfies (keyof ResolvedDisk)[]

/**
 * For callers without types: a record whose choices are still open has no nodes and no arguments.
 *
 * @throws TypeError, RangeError naming the field
 */
export function checkResolvedDisk(disk: unknown, name = 'disk'): asserts disk is ResolvedDisk {
  checkDisk(disk, name)
  checkText(`${name}.vdev`, disk.vdev)
  if (disk.backend === 'unknown') checkWord(`${name}.backend (resolveDisk chooses it)`, disk.backend, backends)
  for (const flag of flags)
    if (disk[flag] === undefined) throw wrongType(`${name}.${flag}`, 'set: resolveDisk does it', disk[flag])
}

/** @throws TypeError, RangeError naming the index and the field */
export function checkResolvedDisks(disks: unknown): asserts disks is readonly ResolvedDisk[] {
  checkArray('disks', disks, 'resolved disks')
  for (const [index, disk] of (disks as readonly unknown[]).entries()) checkResolvedDisk(disk, `disks[${index}]`)
}

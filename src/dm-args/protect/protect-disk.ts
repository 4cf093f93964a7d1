import { checkFunction, checkObject, checkText, wrongValue } from '../../check-argument.js'
import { checkDisks } from '../../libxl/check-disk.js'
import { checkTarget } from '../../libxl/check-guest.js'
import type { DiskTarget } from '../../libxl/choose-backend.js'
import type { DeviceDisk } from '../../libxl/device-disk.js'
import { defaultRun, inlineExportName, inlineSocket } from '../../replication/inline-export.js'
import { isName, nameRule } from '../../replication/name.js'
import type { TargetOf } from '../blockdev/protocol.js'
import { firstBrokenProtectRule } from './protect-rules.js'

/** How a guest's disks are protected. */
export interface ProtectOptions {
  /** The name of the group that they are replicated in. */
  group: string
  /** The folder of the agent's sockets, an absolute path. Default: /run/repagent. */
  run?: string | undefined
  /** What `stat` says of an image's path. Without it none is looked at. */
  targetOf?: TargetOf | undefined
}

/** What became of a disk. */
export type ProtectedDisk =
  /** The disk as QEMU is to have it, and what the agent is to serve for it. */
  | { outcome: 'protected'; disk: DeviceDisk; image: string; format: 'raw' | 'qcow2' }
  /** The guest writes nothing to it. It is as it was. */
  | { outcome: 'left'; disk: DeviceDisk; why: string }
  /** It would stay unprotected. It is as it was; `field` is what is in the way, where it is one field. */
  | { outcome: 'refused'; disk: DeviceDisk; field: keyof DeviceDisk | undefined; why: string; fix: string }

/**
 * A guest's disks for inline protection: each that the guest may write to has the replication agent's NBD export for its target, raw,
 * of qdisk; all else of it stays. To be done before `resolveDisk`, which chooses other backends for images.
 *
 * @throws TypeError for options and disks that are none
 */
export function protectDisks(disks: readonly DeviceDisk[], options: ProtectOptions): ProtectedDisk[] {
  checkDisks(disks)
  checkObject('options', options, 'an object with group')
  const { group, run = defaultRun, targetOf } = options
  checkText('group', group)
  if (!isName(group)) throw wrongValue('group', nameRule, group)
  checkText('run', run)
  if (!isRunFolder(run)) throw wrongValue('run', 'an absolute path', run)
  if (targetOf !== undefined) checkFunction('targetOf', targetOf)
  const names = new Set<string>()
  const images = new Map<string, string>()
  return disks.map(disk => {
    const { vdev = '', pdevPath = '' } = disk
    const socket = inlineSocket(run, group, vdev)
    const target = () => (targetOf === undefined ? undefined : checkedTarget(targetOf(pdevPath)))
    const same = { sameName: names.has(vdev), sameTarget: images.get(pdevPath) }
    const broken = firstBrokenProtectRule({ disk, target, socket, ...same })
    names.add(vdev)
    if (broken !== undefined) {
      const { field, why, fix } = broken
      return fix === undefined ? { outcome: 'left', disk, why } : { outcome: 'refused', disk, field, why, fix }
    }
    images.set(pdevPath, vdev)
    const format = disk.format === 'qcow2' ? 'qcow2' : 'raw'
    return { outcome: 'protected', disk: onAgent(disk, inlineExportName(group, vdev), socket), image: pdevPath, format }
  })
}

/** Whether a text can be the folder of an agent's sockets. */
export const isRunFolder = (run: string): boolean => run.startsWith('/') && run.isWellFormed() && !run.includes('\0')

function checkedTarget(target: DiskTarget): DiskTarget {
  checkTarget(target, 'the answer of targetOf')
  return target
}

/** With an unknown backend libxl would look for a file of that name. */
const onAgent = (disk: DeviceDisk, exportName: string, socket: string): DeviceDisk => ({
  ...disk,
  pdevPath: `nbd+unix:///${exportName}?socket=${encodeURIComponent(socket).replaceAll('%2F', '/')}`,
  backend: 'qdisk',
  format: 'raw',
})

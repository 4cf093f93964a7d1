import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { DiskArgs } from '../build-disk-args.js'
import { isScsi } from '../placement/place-disk.js'
import { deviceText, scsiController } from './guest-device.js'
import { type BlockdevOptions, planDisks } from './plan-disks.js'

/**
 * QEMU's arguments for a guest's disks in the form that names each node of the block graph (`-blockdev`, in JSON, and
 * `-device`): the same devices and the same images as `buildDiskArgs` gives, with the same cache mode and write access.
 * No text can become an option. Nodes have the ids that the other form gives to drives; docs/blockdev.md.
 *
 * @throws LibxlError for what `buildDiskArgs` refuses, and for what QEMU will not start with: two disks in one place,
 * a place that is not there, a colo-export of more than 31 characters, a path that its JSON reader does not take
 * @throws TypeError for an unknown domainType or hdtype, and for an unknown answer of targetOf
 */
export function buildBlockdevArgs(disks: readonly ResolvedDisk[], options: BlockdevOptions): DiskArgs {
  const { planned, warnings } = planDisks(disks, options)
  if (options.domainType !== 'hvm') return { args: [], warnings }
  const args: string[] = []
  if (disks.some(isScsi)) args.push('-device', `lsi53c895a,id=${scsiController}`)
  if (options.hdtype === 'ahci') args.push('-device', 'ahci,id=ahci0')
  for (const { nodes, device } of planned) {
    for (const node of nodes) args.push('-blockdev', JSON.stringify(node))
    args.push('-device', deviceText(device))
  }
  return { args, warnings }
}

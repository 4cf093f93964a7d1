import { humanMonitor } from '../qmp/human-monitor.js'
import { nbdNode } from './graph/node-names.js'
import { cutReplicas } from './primary.js'
import type { Side } from './side.js'

/**
 * Reads a sector of each disk over its connection to the secondary. A link that carries nothing would hold up the guest's next write for
 * good; no command says so, but this one is held up too, and is cut off.
 *
 * @returns why the link is dead
 */
export async function probeLink(
  { qmp, urgent = qmp }: Side,
  { disks, epoch, timeout }: { disks: readonly string[]; epoch: number; timeout: number },
): Promise<Error | undefined> {
  // without out-of-band nothing could end a probe that hangs, nor a write
  if (!urgent.outOfBand) return undefined
  for (const disk of disks) {
    try {
      await humanMonitor(qmp, `qemu-io ${nbdNode(epoch, disk)} "read -q 0 512"`, { timeout })
    } catch (error) {
      await cutReplicas(urgent, { disks, epoch }, { timeout }).catch(() => {})
      return error as Error
    }
  }
  return undefined
}

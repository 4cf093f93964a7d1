import { brokenRules, type ColoFacts, type ColoReason, portProblem, sentence, wayId } from './colo-rules.js'
import type { DeviceDisk } from './device-disk.js'
import { parseVdev } from './vdev.js'

/** Why COLO cannot protect a disk. */
export interface ColoProblem<Disk> {
  disk: Disk
  reason: ColoReason | 'colo-same-disk'
  why: string
}

/** A resolved disk, or as much of it as a store tells. */
type ColoRecord = NonNullable<ColoFacts['disk']> & Pick<DeviceDisk, 'vdev' | 'backend' | 'coloEnable'>

/**
 * All that keeps COLO from protecting a guest's disks, as far as their records and the guest tell: whether QEMU emulates them is
 * not looked at. Of two that exclude each other the second is told; what only follows from a key that is missing or wrong is not.
 */
export function coloProblems<Disk extends ColoRecord>(
  disks: readonly Disk[],
  guest?: ColoFacts['guest'],
): ColoProblem<Disk>[] {
  const replicated = disks.filter(({ coloEnable }) => coloEnable)
  const first = replicated.find(hasServer)
  const ways = new Set(replicated.map(({ vdev }) => wayId(parseVdev(vdev ?? '')?.devid)))
  const taken = new Set<string>()
  const problems: ColoProblem<Disk>[] = []
  for (const disk of replicated) {
    const server = hasServer(disk) ? first : undefined
    const facts = { guest, disk, backend: disk.backend, first: server, ids: { ways, taken } }
    for (const broken of brokenRules(facts)) problems.push({ disk, reason: broken.reason, why: sentence(broken) })
    if (disk.coloExport) taken.add(disk.coloExport)
  }
  return problems
}

/** An address at which somebody can listen. */
const hasServer = ({ coloHost, coloPort }: ColoRecord): boolean =>
  Boolean(coloHost) && coloPort !== 0 && portProblem(coloPort) === undefined

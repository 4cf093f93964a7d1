import { createReplicatedDisk } from '../../protocol-d/node/disk-files.js'
import type { CreateCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { pairName } from '../pair-name.js'

/** Makes a node of a disk. */
export async function runCreate({ pairFile, kind: _, ...options }: CreateCommand): Promise<number> {
  await createReplicatedDisk({ ...options, pair: pairName(pairFile) })
  return exitStatus('done')
}

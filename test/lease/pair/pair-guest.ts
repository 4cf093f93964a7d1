import { setTimeout as pause } from 'node:timers/promises'
import { connectNbd, type NbdClient } from 'xenlight/nbd'
import { connectDiskControl, type DiskControl, ProtocolDError } from 'xenlight/protocol-d'
import { newestOf, sectorOf, sectorSize, sectors } from '../../cluster/numbered-sectors.js'
import type { PairHistory, Session } from './pair-history.js'

/** Of what is asked; one that waits for a lease that is away has time. */
const limits = { timeout: 120_000 }

/**
 * A guest beside a node, which tries all the time: where that serves the disk, it writes numbered sectors one after the other, and notes what it
 * was promised. It does not know that it should not be there, and nobody ends it.
 */
export async function runGuest(
  { name, nbd, control }: { name: string; nbd: string; control: string },
  history: PairHistory,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    try {
      await using disk = await connectNbd({ path: nbd }, { export: 'disk', signal: over, timeout: 5000 })
      await using node = await connectDiskControl(control, { timeout: 5000, signal: over })
      await useDisk(name, disk, node, history, over)
    } catch {
      // it is not served here, or not any more
    }
    await pause(30)
  }
}

async function useDisk(
  name: string,
  disk: NbdClient,
  node: DiskControl,
  history: PairHistory,
  signal: AbortSignal,
): Promise<void> {
  const found = newestOn(name, Buffer.from(await disk.read(0, sectors * sectorSize, { signal })), history)
  if (found === undefined) return
  const session = history.started(name, found)
  for (let number = found; !signal.aborted; ) {
    for (let count = 0; count < 4; count++) {
      number++
      await disk.write((number % sectors) * sectorSize, sectorOf(number), { signal })
      history.answered(session)
    }
    await keep({ disk, node, history, session, signal }, number)
    await pause(5)
  }
}

function newestOn(name: string, disk: Buffer, history: PairHistory): number | undefined {
  try {
    return newestOf(disk)
  } catch (error) {
    history.damaged(name, (error as Error).message)
    return undefined
  }
}

interface Keeping {
  disk: NbdClient
  node: DiskControl
  history: PairHistory
  session: Session
  signal: AbortSignal
}

/** Has what was written kept: by a checkpoint, or by a flush where the node has no peer that holds the same. */
async function keep({ disk, node, history, session, signal }: Keeping, number: number): Promise<void> {
  const asked = { ...limits, signal }
  for (;;) {
    const { connection, mode } = await node.status(asked)
    try {
      if (connection !== 'equal') {
        if (mode === 'checkpoints') await node.setCheckpointing(false, asked)
        await disk.flush({ signal })
        history.answered(session)
        const { connection: now, mode: still } = await node.status(asked)
        if (now === 'equal' || still === 'checkpoints') continue
        history.promise(session, number, 'alone')
        return
      }
      if (mode !== 'checkpoints') await node.setCheckpointing(true, asked)
      const { isAwaited } = await node.checkpoint(asked)
      if (isAwaited) await node.waitForAck(asked)
      history.answered(session)
      history.promise(session, number, 'byCheckpoint')
      return
    } catch (error) {
      if (!(error instanceof ProtocolDError) || !passing.includes(error.code)) throw error
      await pause(10)
    }
  }
}

const passing: readonly string[] = ['no-peer', 'peer-lost', 'busy', 'no-checkpoints']

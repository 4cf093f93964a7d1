// A guest on a node of the cluster: it writes numbered sectors one after the other to the replicated disk, takes checkpoints, and says in
// a file which numbers it was promised. Where its node has no peer it goes on alone, as the end of a Remus session does.
import { Buffer } from 'node:buffer'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connectNbd } from 'xenlight/nbd'
import { connectDiskControl, type DiskControl, ProtocolDError } from 'xenlight/protocol-d'
import { newestOf, sectorOf, sectorSize, sectors } from './numbered-sectors.js'

const [, , folder = '', logs = ''] = process.argv
const log = join(logs, `${process.hrtime.bigint()}.${process.pid}`)
const say = (what: string) => appendFileSync(log, `${process.hrtime.bigint()} ${what}\n`)

const limits = { timeout: 20_000 }
const disk = await connectNbd({ path: join(folder, 'nbd.sock') }, { export: 'disk' })
const control = await connectDiskControl(join(folder, 'control.sock'), limits)

let number = newestOf(Buffer.from(await disk.read(0, sectors * sectorSize)))
say(`start ${number}`)
for (;;) {
  for (let count = 0; count < 4; count++) {
    number++
    await disk.write((number % sectors) * sectorSize, sectorOf(number))
  }
  say(`promised ${await keep(control)} ${number}`)
  await pause(20)
}

/** What was written until now is not lost any more. @returns how */
async function keep(node: DiskControl): Promise<string> {
  for (;;) {
    const { connection, mode } = await node.status(limits)
    try {
      if (mode !== 'checkpoints') {
        await node.setCheckpointing(connection === 'equal', limits)
        // without a peer, or while that is brought up to date: what is here counts
        if (connection !== 'equal') {
          await disk.flush()
          return 'alone'
        }
        continue
      }
      const { isAwaited } = await node.checkpoint(limits)
      if (isAwaited) await node.waitForAck(limits)
      return 'checkpoint'
    } catch (error) {
      if (
        !(error instanceof ProtocolDError) ||
        !['no-peer', 'peer-lost', 'busy', 'no-checkpoints'].includes(error.code)
      )
        throw error
      if (mode === 'checkpoints' && error.code !== 'busy') await endCheckpoints(node)
      await pause(10)
    }
  }
}

async function endCheckpoints(node: DiskControl): Promise<void> {
  try {
    await node.setCheckpointing(false, limits)
  } catch (error) {
    if (!(error instanceof ProtocolDError)) throw error
  }
}

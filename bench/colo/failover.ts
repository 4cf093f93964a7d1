import { Buffer } from 'node:buffer'
import { failOver, protectPair } from 'xenlight/colo'
import { cont } from 'xenlight/qmp'
import { lastNumber, writesIn } from '../../test/guest/numbered-disks.js'
import { silentGuest } from '../../test/guest/numbered-guest.js'
import { aroundCommands } from './around-commands.js'
import { tick } from './tick.js'
import { contentsOf, untilBooted, type WritingPair, writingPair } from './writing-guest.js'

const checkpoints = 20
/** How long the guest writes on after the last checkpoint, in milliseconds: these writes are to be undone. */
const openEpoch = 30

/** How long it took, in milliseconds. */
export interface Failover {
  failover: number
  /** From the reset of the secondary's guest, through the BIOS, to the program on the disk. */
  boot: number
  /** The same of the primary's guest before. */
  firstBoot: number
}

/**
 * Kills the primary's QEMU between two of its guest's writes, and takes over: the disk must be, byte for byte, what the primary's was
 * at the last checkpoint, and boot.
 *
 * @throws Error where it is not
 */
export async function measureFailover(): Promise<Failover> {
  await using qemus = await writingPair()
  const { primary, secondary, options } = qemus
  const { disk, firstBoot } = await runUntilKilled(qemus)
  const start = performance.now()
  await failOver({ secondary: options.secondary, disks: options.disks, epoch: 2 })
  const failover = performance.now() - start
  const taken = contentsOf(secondary)
  const writes = writesIn(silentGuest, [taken])
  if (!taken.equals(disk)) {
    const has = `${writes} writes, and the checkpoint ${numberOf(disk)}`
    throw new Error(`the disk that was taken over is not that of the last checkpoint: it has ${has}`)
  }
  if (numberOf(contentsOf(primary)) <= numberOf(disk)) throw new Error('nothing was written after the checkpoint')
  const again = performance.now()
  await secondary.qemu.qmp('system_reset')
  await secondary.qemu.client.run(cont)
  await untilBooted(secondary)
  return { failover, boot: performance.now() - again, firstBoot }
}

const numberOf = (disk: Buffer): number => lastNumber(silentGuest, [disk])

/** The primary's disk as it was at the last checkpoint. */
async function runUntilKilled({ primary, options }: WritingPair): Promise<{ disk: Buffer; firstBoot: number }> {
  let disk: Buffer = Buffer.alloc(0)
  // the guest stands still until this is sent, and both sides have the checkpoint
  const qmp = aroundCommands(options.primary.qmp, (command, run) => {
    if (command === cont.name) disk = contentsOf(primary)
    return run()
  })
  await using pair = await protectPair({ ...options, primary: { ...options.primary, qmp } })
  const start = performance.now()
  await primary.qemu.client.run(cont)
  await untilBooted(primary)
  const firstBoot = performance.now() - start
  for await (const _ of tick(checkpoints)) await pair.checkpoint()
  const end = performance.now() + openEpoch
  while (performance.now() < end) await new Promise(resolve => setTimeout(resolve, 1))
  await pair[Symbol.asyncDispose]()
  await primary.qemu.stop()
  return { disk, firstBoot }
}

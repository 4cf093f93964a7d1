import { cont } from 'xenlight/qmp'
import type { BranchStart } from 'xenlight/replication'
import { guestSector, silentGuest } from '../../test/guest/numbered-guest.js'
import { Teardowns } from '../../test/protocol-d/teardowns.js'
import { startQemu } from '../../test/real/qemu.js'
import { untilBooted } from '../colo/writing-guest.js'
import { median, table } from '../statistics.js'
import { atMost } from './goal.js'
import { mebibyte } from './make-disk.js'
import { group, Place } from './place.js'
import { sparseReplica } from './sparse-replica.js'

const size = 100 * 1024 * mebibyte
const parts = 256
const rounds = 11

/** From the wish for a test to a guest that runs on its disk, which has 100 GiB and is sparse. */
export async function benchStartOfTest(): Promise<string> {
  await using stack = new Teardowns()
  const place = stack.use(new Place())
  await sparseReplica(place, { size, boot: guestSector(silentGuest), parts })
  await place.start('hub')
  const times: Record<'branch' | 'boot' | 'all', number[]> = { branch: [], boot: [], all: [] }
  for (let round = 0; round < rounds; round++) {
    const { branch, boot } = await startTest(place, `t${round}`)
    times.branch.push(branch)
    times.boot.push(boot)
    times.all.push(branch + boot)
  }
  const row = (name: string, all: readonly number[], goal = '') => [
    ...[name, median(all).toFixed(0), Math.max(...all).toFixed(0), goal],
  ]
  return table([
    [`replication: ms from a test to its guest, of ${rounds}`, 'median', 'largest', 'goal'],
    row('all of it', times.all, atMost(Math.max(...times.all), 1000)),
    row('the branch, and its arguments', times.branch),
    row("QEMU's start, BIOS and boot sector", times.boot),
  ])
}

/** In milliseconds. */
async function startTest(place: Place, branch: string): Promise<{ branch: number; boot: number }> {
  const begin = performance.now()
  await place.ask('hub', 'test', { group, branch })
  const start = await place.ask<BranchStart>('hub', 'start', { group, branch })
  const made = performance.now()
  const device = ['-device', `ide-hd,drive=${start.volumes[0]!.node}`]
  const { qemu, refusal } = await startQemu(['-m', '16', '-debugcon', 'stdio', ...start.arguments, ...device])
  if (qemu === undefined) throw new Error(refusal)
  await qemu.client.run(cont)
  await untilBooted({ qemu })
  const booted = performance.now()
  await qemu.stop()
  await place.ask('hub', 'discard', { group, branch })
  return { branch: made - begin, boot: booted - made }
}

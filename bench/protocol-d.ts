import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseDisk, resolveDisk } from 'xenlight'
import { setUpCheckpoints } from 'xenlight/checkpoint'
import { cont, stop } from 'xenlight/qmp'
import { protocolDKind, qemuGuest, type RemusEpoch, RemusSession } from 'xenlight/remus'
import { guestSector, silentGuest } from '../test/guest/numbered-guest.js'
import { freePort } from '../test/protocol-d/free-port.js'
import { megabyte, ServedNode } from '../test/protocol-d/served-node.js'
import { Teardowns } from '../test/protocol-d/teardowns.js'
import { writeRate } from './colo/write-rate.js'
import { plainGuest, untilBooted, type WritingGuest } from './colo/writing-guest.js'
import { median, quantile, table } from './statistics.js'

const rounds = 5
/** How long a guest writes before it is another's turn, in milliseconds. */
const slice = 1000
/** Between two epochs, in milliseconds: some 20 checkpoints a second with the epoch itself. */
const interval = 45
/** Of the disk that is copied whole, in bytes. */
const copied = 512 * megabyte

/**
 * A guest that writes without end: on a plain image, on a node of a pair, and under checkpoints; what a checkpoint costs; how fast a disk is
 * copied. By turns, each guest alone; the first round is not counted.
 */
export async function benchProtocolD(): Promise<string> {
  await using stack = new Teardowns()
  const plain = stack.use(await plainGuest())
  const { first, folder } = await nodes(stack, megabyte)
  const qemu = stack.use(await first.qemu())
  const replicated: WritingGuest = { qemu, image: first.image }
  for (const guest of [plain, replicated]) {
    await guest.qemu.client.run(cont)
    await untilBooted(guest)
    await guest.qemu.client.run(stop)
  }
  const rates: Record<'plain' | 'replicated' | 'checkpointed', number[]> = {
    plain: [],
    replicated: [],
    checkpointed: [],
  }
  const epochs: RemusEpoch[] = []
  const frequencies: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const rate = {
      plain: await writeRate(plain, () => delay(slice)),
      replicated: await writeRate(replicated, () => delay(slice)),
      checkpointed: await rateUnder(replicated, first, round === 0 ? [] : epochs, frequencies),
    }
    if (round > 0) for (const kind of ['plain', 'replicated', 'checkpointed'] as const) rates[kind].push(rate[kind])
  }
  const kept = (kind: 'replicated' | 'checkpointed') =>
    median(rates[kind].map((rate, round) => rate / rates.plain[round]!)).toFixed(2)
  const times = (of: (epoch: RemusEpoch) => number) => {
    const all = epochs.map(of)
    return [median(all).toFixed(1), quantile(all, 0.99).toFixed(1)]
  }
  const speed = await copySpeed(folder)
  return [
    table([
      ["a guest's writes", 'sectors/s', 'kept'],
      ['a plain image', median(rates.plain).toFixed(0), ''],
      ['a node of a pair', median(rates.replicated).toFixed(0), kept('replicated')],
      [
        `${median(frequencies).toFixed(1)} checkpoints a second`,
        median(rates.checkpointed).toFixed(0),
        kept('checkpointed'),
      ],
    ]),
    table([
      [`ms a checkpoint, of ${epochs.length}`, 'median', 'p99'],
      ['the guest stands still', ...times(({ pauseTime }) => pauseTime)],
      ['of it, waiting for the acknowledgement', ...times(({ ackTime }) => ackTime)],
    ]),
    `a disk of ${copied / megabyte} MiB is copied at ${speed.toFixed(0)} MiB/s`,
  ].join('\n\n')
}

async function nodes(
  stack: Teardowns,
  size: number,
): Promise<{ first: ServedNode; second: ServedNode; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-protocol-d-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'pair'), 'bench\n')
  const where = `127.0.0.1:${await freePort()}`
  const first = stack.use(new ServedNode({ folder, name: 'a', peer: ['--listen', where] }))
  const second = stack.use(new ServedNode({ folder, name: 'b', peer: ['--connect', where] }))
  for (const node of [first, second]) await node.create(size)
  const disk = readFileSync(first.image)
  guestSector(silentGuest).copy(disk)
  writeFileSync(first.image, disk)
  for (const node of [first, second]) await node.start()
  await using control = await first.control()
  await control.promote({ force: true })
  await first.until('both hold the same', ({ connection }) => connection === 'equal')
  return { first, second, folder }
}

async function rateUnder(
  guest: WritingGuest,
  node: ServedNode,
  epochs: RemusEpoch[],
  frequencies: number[],
): Promise<number> {
  const environment = { domid: 11, domainType: 'hvm', target: 'file', domidOf: () => undefined } as const
  const disk = resolveDisk(parseDisk(`vdev=hda,target=${node.url}`), environment)
  const kinds = [protocolDKind({ connect: () => node.control() })]
  const devices = await setUpCheckpoints([disk], kinds, { nameOf: ({ vdev }) => vdev })
  const session = new RemusSession({ devices, hooks: qemuGuest(guest.qemu.client), interval })
  return writeRate(guest, async () => {
    const start = performance.now()
    const over = session.start()
    const taken: RemusEpoch[] = []
    void (async () => {
      for await (const epoch of session.epochs) taken.push(epoch)
    })()
    await delay(slice)
    const end = await session.stop()
    if (end.failure !== undefined) throw end.failure.error
    await over
    frequencies.push((taken.length / (performance.now() - start)) * 1000)
    epochs.push(...taken)
  })
}

/** In MiB a second. */
async function copySpeed(folder: string): Promise<number> {
  await using stack = new Teardowns()
  const where = `127.0.0.1:${await freePort()}`
  const from = stack.use(new ServedNode({ folder, name: 'c', peer: ['--listen', where] }))
  const to = stack.use(new ServedNode({ folder, name: 'd', peer: ['--connect', where] }))
  for (const node of [from, to]) await node.create(copied)
  writeFileSync(from.image, Buffer.alloc(copied, 7))
  await from.start()
  await using control = await from.control()
  await control.promote({ force: true })
  await to.start()
  const start = performance.now()
  await from.until('it is copied', ({ connection }) => connection === 'equal')
  return copied / megabyte / ((performance.now() - start) / 1000)
}

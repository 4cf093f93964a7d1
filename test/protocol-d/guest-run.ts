import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseDisk, resolveDisk } from 'xenlight'
import { setUpCheckpoints } from 'xenlight/checkpoint'
import type { DiskControl } from 'xenlight/protocol-d'
import { cont, stop } from 'xenlight/qmp'
import { type CheckpointControl, protocolDKind, qemuGuest, RemusSession } from 'xenlight/remus'
import { lastNumber, writesIn } from '../guest/numbered-disks.js'
import { booted, failed, guestSector, silentGuest } from '../guest/numbered-guest.js'
import type { Qemu } from '../real/qemu.js'
import type { Random } from '../support/random.js'
import { eventually } from './eventually.js'
import { type Network, namespaceNetwork, proxyNetwork } from './network.js'
import { megabyte, ServedNode } from './served-node.js'
import { Teardowns } from './teardowns.js'

const environment = { domid: 11, domainType: 'hvm', target: 'file', domidOf: () => undefined } as const

/** What ends a primary. */
export const ends = ['all killed', 'node killed', 'QEMU killed first', 'link cut', 'link silent'] as const

export interface GuestRun {
  end: (typeof ends)[number]
  network: string
  checkpoints: number
  /** How many writes the guest had made when the primary ended, and how many of them the checkpoint has. */
  writes: number
  kept: number
  /** The secondary had committed one that the primary has not heard of. */
  isUnheard: boolean
}

/**
 * A guest that writes without end on a pair under 20 checkpoints a second, until its primary ends. The secondary must have the last
 * checkpoint, byte for byte; a guest is started there; the old primary comes back, is brought up to date while that guest writes, and
 * takes over from it.
 *
 * @throws Error where anything is not so
 */
export async function guestRun(random: Random): Promise<GuestRun> {
  const folder = mkdtempSync(join(tmpdir(), 'protocol-d-'))
  writeFileSync(join(folder, 'pair'), `pair-${random.int(1 << 30)}\n`)
  await using stack = new Teardowns()
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const options = ['--dead-after', '1s']
  const link = stack.use(await networkOf(random))
  const [prefix, otherPrefix] = link.prefixes
  const listen = ['--listen', link.listen] as const
  const first = stack.use(new ServedNode({ folder, name: 'a', peer: listen, options, prefix }))
  await first.create(megabyte)
  putProgram(first)
  await first.start()
  await link.begin()
  const peer = ['--connect', link.connect] as const
  const second = stack.use(new ServedNode({ folder, name: 'b', peer, options, prefix: otherPrefix }))
  await second.create(megabyte)
  await second.start()
  await promote(first, { force: true })
  await first.until('both hold the same', ({ connection }) => connection === 'equal')
  await second.until('both hold the same', ({ connection }) => connection === 'equal')

  const guest = stack.use(await first.qemu())
  const run = await protectUntil(first, guest, link, random)
  await endPrimary(run.end, first, guest, link)

  await second.until('the primary is lost', ({ connection }) => connection === 'none')
  await promote(second)
  const { checkpoint } = await second.status()
  const kept = run.states.get(checkpoint)
  if (kept === undefined || checkpoint < run.acknowledged)
    throw new Error(`the secondary says checkpoint ${checkpoint}, and ${run.acknowledged} was acknowledged`)
  const taken = second.contents()
  if (!taken.equals(kept))
    throw new Error(`after checkpoint ${checkpoint} there are ${numberOf(taken)} writes, not ${numberOf(kept)}`)
  writesIn(silentGuest, [taken])
  const writes = numberOf(first.contents())

  const secondGuest = stack.use(await second.qemu())
  await secondGuest.client.run(cont)
  await untilBooted(secondGuest)
  await guest.stop()
  await first.kill()
  await link.resume()
  await delay(random.int(200))
  const back = stack.use(new ServedNode({ folder, name: 'a', peer: listen, options, prefix }))
  await back.start()
  // a primary that lost its link went on alone, and so did the other one: an administrator says whose writes count
  if (run.end.startsWith('link')) await discard(back)
  await second.until('the old primary is brought up to date', ({ connection }) => connection === 'equal')
  await delay(50)
  await swapRoles(second, back, secondGuest)
  const third = stack.use(await back.qemu())
  await third.client.run(cont)
  await untilBooted(third)
  await third.client.run(stop)
  await third.stop()
  await back.until('the other one has all', ({ differing }) => differing === 0)
  if (!back.contents().equals(second.contents())) throw new Error('the nodes differ in the end')
  return {
    end: run.end,
    network: link.what,
    checkpoints: checkpoint,
    writes,
    kept: numberOf(kept),
    isUnheard: checkpoint > run.acknowledged,
  }
}

/** Network namespaces need root; without it there are proxies only. */
const networkOf = (random: Random): Promise<Network> => {
  const isRoot = process.geteuid?.() === 0
  if (random.chance(0.4) && isRoot) return namespaceNetwork()
  return proxyNetwork(random.chance(0.5) ? 1 + random.int(10) : 0)
}

interface Protected {
  end: GuestRun['end']
  /** The disk at each checkpoint. */
  states: Map<number, Buffer>
  acknowledged: number
}

/** Keeps the guest under RemusSession until it is time for the end, which may be in the middle of an epoch. */
async function protectUntil(node: ServedNode, guest: Qemu, link: Network, random: Random): Promise<Protected> {
  const end = random.pick(ends)
  const states = new Map<number, Buffer>()
  let acknowledged = 0
  let asked = 0
  await guest.client.run(cont)
  await untilBooted(guest)
  await guest.client.run(stop)
  let isLast!: () => void
  const isTheLast = new Promise<void>(resolve => {
    isLast = resolve
  })
  const count = 3 + random.int(15)
  const isInTheMiddle = random.chance(0.5)
  /** The node's own, and what the disk was when it was asked for a checkpoint. */
  const watched = (control: DiskControl): CheckpointControl => ({
    status: limits => control.status(limits),
    async setCheckpointing(isOn, limits) {
      await control.setCheckpointing(isOn, limits)
      if (!isOn) return
      acknowledged = (await control.status(limits)).checkpoint
      states.set(acknowledged, node.contents())
    },
    async checkpoint(limits) {
      const now = node.contents()
      const sent = await control.checkpoint(limits)
      states.set(sent.checkpoint, now)
      if (++asked === count && isInTheMiddle) isLast()
      return sent
    },
    waitForAck: limits => control.waitForAck(limits),
    close: () => control.close(),
  })
  const disk = resolveDisk(parseDisk(`vdev=hda,target=${node.url}`), environment)
  const kinds = [protocolDKind({ connect: async () => watched(await node.control()) })]
  const devices = await setUpCheckpoints([disk], kinds, { nameOf: ({ vdev }) => vdev, timeout: 5000 })
  const abort = new AbortController()
  const session = new RemusSession({
    devices,
    hooks: qemuGuest(guest.client),
    interval: 50,
    stepTimeout: 5000,
    signal: abort.signal,
  })
  await guest.client.run(cont)
  const over = session.start()
  void (async () => {
    for await (const { epoch } of session.epochs) {
      acknowledged = Math.max(acknowledged, [...states.keys()].at(-1)!)
      if (epoch === count) isLast()
    }
  })()
  await Promise.race([isTheLast, over])
  if (!isInTheMiddle) await delay(random.int(50))
  if (end === 'link silent') await link.stall()
  return { end, states, acknowledged }
}

async function endPrimary(end: GuestRun['end'], node: ServedNode, guest: Qemu, link: Network): Promise<void> {
  switch (end) {
    case 'all killed':
      await Promise.all([guest.stop(), node.kill()])
      return
    case 'node killed':
      await node.kill()
      return
    case 'QEMU killed first':
      await guest.stop()
      await delay(20)
      await node.kill()
      return
    case 'link cut':
      await link.cut()
      return
    case 'link silent':
      await link.stall()
  }
}

async function discard(node: ServedNode): Promise<void> {
  await using control = await node.control()
  await control.discardOwnChanges({ timeout: 5000 })
}

async function promote(node: ServedNode, options = {}): Promise<void> {
  await using control = await node.control()
  await control.promote(options, { timeout: 10_000 })
}

/** The guest ends, its node steps down when the other one has all, and that one takes over. */
async function swapRoles(from: ServedNode, to: ServedNode, guest: Qemu): Promise<void> {
  await guest.client.run(stop)
  await guest.quit()
  await eventually('its client is gone', async () => (await from.status()).clients === 0)
  await using control = await from.control()
  await control.demote({}, { timeout: 10_000 })
  await promote(to)
  if (!to.contents().equals(from.contents())) throw new Error('the nodes differ when the roles are swapped')
}

const numberOf = (disk: Buffer): number => lastNumber(silentGuest, [disk])

function putProgram(node: ServedNode): void {
  const disk = node.contents()
  guestSector(silentGuest).copy(disk)
  writeFileSync(node.image, disk)
}

async function untilBooted(qemu: Qemu): Promise<void> {
  await eventually('the guest runs', () => {
    if (qemu.printed().includes(failed)) throw new Error('the guest cannot write to its disk')
    return qemu.printed().includes(booted)
  })
}

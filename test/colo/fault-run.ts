import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { attachReplicas, detachReplicas } from '#xenlight/colo/primary.js'
import { ReplicaHealth } from '#xenlight/colo/replica-health.js'
import { failOver, listen, startReplication } from '#xenlight/colo/secondary.js'
import { takeCheckpoint } from '#xenlight/colo/take-checkpoint.js'
import { forms } from '../dm-args/real-qemu/forms.js'
import type { Random } from '../support/random.js'
import { coloPair, contents, type ImageFormat, onEach, type Side } from './colo-pair.js'

const block = 64 * 1024
const blocks = 16

/** What ends a run. */
const faults = [
  'primary killed',
  'primary killed in a checkpoint',
  'primary alive and writing',
  'link cut',
  'secondary killed',
  'secondary frozen',
  'take-over given up',
] as const

/** What each disk holds, a byte for each block: the same on all disks. */
class Model {
  primary = Array<number>(blocks).fill(0)
  checkpoint = Array<number>(blocks).fill(0)
  /** What the secondary's own guest wrote since. */
  own = new Map<number, number>()

  committed(): void {
    this.checkpoint = [...this.primary]
    this.own.clear()
  }

  /** What the secondary's disks must hold once it has taken over. */
  get taken(): number[] {
    return this.checkpoint.map((byte, at) => this.own.get(at) ?? byte)
  }
}

/** One pair of QEMUs with random work, and a fault; what is on the disks that survive is compared byte for byte. */
export async function faultRun(t: Test, random: Random, name: string): Promise<void> {
  const form = forms[random.pick(['drive', 'blockdev'] as const)]
  const vdevs = random.pick([['hda'], ['sda', 'hdb'], ['hda', 'hdb', 'sda', 'sdb']])
  const format = random.pick<ImageFormat>(['raw', 'qcow2'])
  const fault = random.pick(faults)
  const what = `${name}: ${fault} (${vdevs.join(' ')}, ${format})`
  const pair = await coloPair(t, form, vdevs, format)
  const { primary, secondary, names: disks, host, port } = pair
  const [first, second] = [primary.qemu.client, secondary.qemu.client]
  const limits = { timeout: 5000 }
  await listen(second, { disks, host, port, ...limits })
  await startReplication(second, { disks, ...limits })
  await attachReplicas(first, { disks, host, port, epoch: 1, ...limits })
  using health = new ReplicaHealth(first)
  const model = new Model()
  const checkpoint = () => takeCheckpoint({ primary: first, secondary: second, disks, epoch: 1, health, ...limits })
  const write = async () => {
    const [at, byte] = [random.int(blocks), 1 + random.int(255)]
    model.primary[at] = byte
    await onEach(primary, () => `write -P ${byte} ${at * block} ${block}`)
  }

  for (let left = random.int(8); left > 0; left--) {
    const step = random.int(4)
    if (step === 0) {
      await checkpoint()
      model.committed()
    } else if (step === 1) {
      const [at, byte] = [random.int(blocks), 1 + random.int(255)]
      model.own.set(at, byte)
      await onEach(secondary, () => `write -P ${byte} ${at * block} ${block}`)
    } else {
      await write()
    }
  }

  const takeOver = () => failOver(second, { disks, timeout: 10_000 })
  switch (fault) {
    case 'primary killed':
      await primary.qemu.stop()
      await takeOver()
      return same(t, what, secondary, model.taken)
    case 'primary killed in a checkpoint': {
      const outcome = checkpoint().then(
        () => 'done',
        () => 'unknown',
      )
      await delay(random.int(6))
      await primary.qemu.stop()
      const before = model.taken
      const isDone = (await outcome) === 'done'
      model.committed()
      await takeOver()
      // whoever was not told that it is done does not know
      return same(t, what, secondary, ...(isDone ? [model.taken] : [model.taken, before]))
    }
    case 'primary alive and writing': {
      const taking = takeOver()
      await write().catch(() => {})
      await taking
      await write().catch(() => {})
      return same(t, what, secondary, model.taken)
    }
    case 'link cut': {
      const instances = disks.map((_, index) => ({ type: 'block-node', 'node-name': `colo-1-${index}-nbd` }))
      await first.executeOutOfBand('yank', { instances })
      await write()
      await t.rejects(checkpoint(), { name: 'ColoError', code: 'degraded' }, `${what}: no checkpoint`)
      await primary.qemu.stop()
      await takeOver()
      return same(t, what, secondary, model.taken)
    }
    case 'secondary killed':
    case 'secondary frozen': {
      if (fault === 'secondary killed') await secondary.qemu.stop()
      else process.kill(secondary.qemu.pid, 'SIGSTOP')
      const writing = write()
      await detachReplicas(first, { disks, epoch: 1, ...limits })
      await writing
      await write()
      return same(t, what, primary, model.primary)
    }
    case 'take-over given up': {
      await primary.qemu.stop()
      const giveUp = new AbortController()
      const given = failOver(second, { disks, signal: giveUp.signal, ...limits }).catch(() => {})
      await delay(random.int(10))
      giveUp.abort()
      await given
      await takeOver()
      return same(t, what, secondary, model.taken)
    }
  }
}

/** The disks of a side hold one of these, and all of them the same one. */
async function same(t: Test, what: string, { qemu, disks }: Side, ...allowed: number[][]): Promise<void> {
  await qemu.quit()
  const found = disks.map(disk => {
    const bytes = contents(disk)
    return allowed.findIndex(each =>
      each.every((byte, at) => bytes.subarray(at * block, (at + 1) * block).every(one => one === byte)),
    )
  })
  t.ok(found[0]! >= 0 && new Set(found).size === 1, `${what}: ${found.join(' ')}`)
}

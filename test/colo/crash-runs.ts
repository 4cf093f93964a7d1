import { randomInt } from 'node:crypto'
import type { Test } from 'tap'
import { failOver, protectPair } from 'xenlight/colo'
import { cont, queryStatus } from 'xenlight/qmp'
import { forms } from '../dm-args/real-qemu/forms.js'
import { realPart } from '../support/real-part.js'
import { contents, onEach, pairOptions, type QemuPair, qemuPair } from './colo-pair.js'
import { Killed, Mortality } from './mortal-side.js'

const fill = (byte: number): Buffer => Buffer.alloc(64 * 1024, byte)

/** Both sides can be protected, hold what the primary wrote, and be taken over. */
async function worksAgain(t: Test, qemus: QemuPair, what: string, epoch: number): Promise<void> {
  const { primary, secondary, names: disks, records } = qemus
  const pair = await protectPair(pairOptions(qemus, primary, secondary, epoch))
  t.strictSame([...new Set([...pair.states.values()].map(({ kind }) => kind))], ['protected'], `${what}: protected`)
  t.match(await primary.qemu.client.run(queryStatus), { running: true }, `${what}: the guest runs`)
  await onEach(primary, () => 'write -P 8 128k 64k')
  await pair.checkpoint()
  await onEach(primary, () => 'write -P 9 0 256k')
  await pair[Symbol.asyncDispose]()
  await primary.qemu.stop()
  await failOver({ secondary: { qmp: secondary.qemu.client, records }, disks, epoch: epoch + 1 })
  await secondary.qemu.quit()
  for (const disk of secondary.disks) {
    const wanted = Buffer.concat([fill(1), fill(2), fill(8), fill(0)])
    t.ok(contents(disk).subarray(0, wanted.length).equals(wanted), `${what}: ${disk.vdev}`)
  }
}

/**
 * Kills a process at each so manieth step, from one that is another each time with CI set: all of them are many. `FIRST=…` begins with
 * that one again.
 */
export function crashRuns(t: Test, usual: number): void {
  const { CI, FIRST, EVERY } = process.env
  const every = EVERY === undefined ? usual : Number(EVERY)
  const first = FIRST !== undefined ? Number(FIRST) : CI ? 1 + randomInt(every) : 1
  for (const [name, after] of [
    ['before', false],
    ['after', true],
  ] as const) {
    t.test(`a process that is killed ${name} any step of protecting`, { timeout: 600_000 }, async t => {
      for (let at = first; ; at += every) {
        const qemus = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda', 'sda'], 'raw'))
        if (qemus === undefined) return
        const { primary, secondary } = qemus
        await primary.qemu.client.run(cont)
        await onEach(primary, () => 'write -P 1 0 64k')
        const mortality = new Mortality(at, after)
        const failure = await protectPair(mortality.over(pairOptions(qemus, primary, secondary, 1))).then(
          pair => pair[Symbol.asyncDispose](),
          error => error as Error,
        )
        await onEach(primary, () => 'write -P 2 64k 64k')
        await worksAgain(t, qemus, `step ${at}`, at % 2 === 0 ? 1 : 2)
        if (!(failure instanceof Killed) && mortality.steps < at)
          return t.comment(`${at} steps, each ${every}th from ${first}`)
      }
    })

    t.test(`a process that is killed ${name} any step of a take-over`, { timeout: 600_000 }, async t => {
      for (let at = first; ; at += every) {
        const qemus = await realPart(t, () => qemuPair(t, forms.drive, ['hda', 'sda'], 'qcow2'))
        if (qemus === undefined) return
        const { primary, secondary, names: disks, records } = qemus
        const pair = await protectPair({ ...pairOptions(qemus, primary, secondary, 1), equal: true })
        await onEach(primary, () => 'write -P 1 0 64k')
        await pair.checkpoint()
        await onEach(primary, () => 'write -P 9 0 256k')
        await onEach(secondary, () => 'write -P 2 64k 64k')
        await pair[Symbol.asyncDispose]()
        await primary.qemu.stop()
        const mortality = new Mortality(at, after)
        const side = { qmp: secondary.qemu.client, records }
        const failure = await failOver({ secondary: mortality.side(side), disks, epoch: 2 }).catch(
          error => error as Error,
        )
        await failOver({ secondary: side, disks, epoch: 2 })
        await secondary.qemu.quit()
        const wanted = Buffer.concat([fill(1), fill(2), fill(0)])
        for (const disk of secondary.disks)
          t.ok(contents(disk).subarray(0, wanted.length).equals(wanted), `step ${at}: ${disk.vdev}`)
        if (failure === undefined) return t.comment(`${at} steps, each ${every}th from ${first}`)
      }
    })
  }
}

import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { type PairOptions, protectPair } from 'xenlight/colo'
import { onEach, type PairSettings, type QemuSide, smallFileSystem } from './colo-pair.js'
import type { FaultRun, Left } from './fault-run.js'
import { Mortality } from './mortal-side.js'

/** What ends a run, or begins it badly, and what is left then. */
export interface Fault {
  name: string
  /** For so many disks. */
  settings?: (t: Test, disks: number) => PairSettings
  before?: (run: FaultRun, primary: QemuSide, secondary: QemuSide, more: Partial<PairOptions>) => Promise<void>
  happen: (run: FaultRun, primary: QemuSide, secondary: QemuSide) => Promise<Left>
}

const isFrozen = (side: QemuSide) => process.kill(side.qemu.pid, 'SIGSTOP')

/** The secondary takes over, as whoever arbitrates says; what it holds is one of these. */
async function taken(
  run: FaultRun,
  primary: QemuSide,
  secondary: QemuSide,
  allowed: readonly number[][] = [run.model.taken],
  force?: string,
): Promise<Left> {
  await run.takeOver(secondary, force === undefined ? {} : { force })
  await primary.qemu.stop()
  const found = await run.same(secondary, allowed)
  run.model.continuedBy(found)
  const again = await run.qemus.restart(secondary, 'primary')
  return { primary: again, follower: await run.qemus.restart(primary, 'secondary') }
}

/** The primary goes on alone, and says so. */
async function alone(run: FaultRun, primary: QemuSide, secondary: QemuSide): Promise<Left> {
  await run.write(primary)
  for (let left = 200; left > 0 && run.kinds.includes('protected'); left--) await delay(20)
  run.t.notOk(run.kinds.includes('protected'), `${run.what}: not said to be protected (${run.kinds})`)
  const failure = await run.inTime(run.pair!.checkpoint()).catch(error => error as Error)
  run.t.ok(failure instanceof Error, `${run.what}: no checkpoint`)
  await run.write(primary)
  await run.disconnect()
  return { primary, follower: secondary }
}

/** A checkpoint that something happens to: whether it was taken is not known where it was not said. */
async function during(run: FaultRun, happen: () => unknown): Promise<number[][]> {
  const before = run.model.taken
  const outcome = run.pair!.checkpoint().then(
    () => true,
    () => false,
  )
  await delay(run.random.int(8))
  await happen()
  const isDone = await run.inTime(outcome)
  run.model.committed()
  return isDone ? [run.model.taken] : [run.model.taken, before]
}

export const faults: Record<string, Fault> = Object.fromEntries(
  (
    [
      {
        name: 'primary killed',
        async happen(run, primary, secondary) {
          await primary.qemu.stop()
          return taken(run, primary, secondary)
        },
      },
      {
        name: 'primary killed in a checkpoint',
        async happen(run, primary, secondary) {
          return taken(run, primary, secondary, await during(run, () => primary.qemu.stop()))
        },
      },
      {
        name: 'primary frozen',
        async happen(run, primary, secondary) {
          isFrozen(primary)
          for (let left = 200; left > 0 && run.kinds.includes('protected'); left--) await delay(20)
          run.t.notOk(run.kinds.includes('protected'), `${run.what}: not said to be protected`)
          return taken(run, primary, secondary)
        },
      },
      {
        name: 'primary alive and writing',
        async happen(run, primary, secondary) {
          const wanted = [run.model.taken]
          const taking = taken(run, primary, secondary, wanted)
          await run.write(primary).catch(() => {})
          return taking
        },
      },
      {
        name: 'link cut',
        async happen(run, primary, secondary) {
          run.proxy.cut()
          return alone(run, primary, secondary)
        },
      },
      {
        name: 'link stalled',
        async happen(run, primary, secondary) {
          run.proxy.stall()
          const left = await alone(run, primary, secondary)
          run.proxy.cut()
          run.proxy.resume()
          return left
        },
      },
      {
        name: 'link cut, then the primary killed',
        async happen(run, primary, secondary) {
          const wanted = [run.model.taken]
          run.proxy.cut()
          await alone(run, primary, secondary)
          await primary.qemu.stop()
          const { disks } = await run.status(primary, secondary)
          run.t.notOk(
            disks.some(({ promotable }) => promotable.yes),
            `${run.what}: outdated, not promotable`,
          )
          return taken(run, primary, secondary, wanted, 'the primary is lost')
        },
      },
      {
        name: 'secondary killed',
        async happen(run, primary, secondary) {
          await secondary.qemu.stop()
          await alone(run, primary, secondary)
          const as = run.random.pick(['secondary', 'same secondary'] as const)
          return { primary, follower: await run.qemus.restart(secondary, as) }
        },
      },
      {
        name: 'secondary frozen',
        async happen(run, primary, secondary) {
          isFrozen(secondary)
          const left = await alone(run, primary, secondary)
          process.kill(secondary.qemu.pid, 'SIGCONT')
          return left
        },
      },
      {
        name: 'secondary killed in a checkpoint',
        async happen(run, primary, secondary) {
          await during(run, () => secondary.qemu.stop())
          await run.disconnect()
          return { primary, follower: await run.qemus.restart(secondary, 'same secondary') }
        },
      },
      {
        name: 'own process killed in a checkpoint',
        async happen(run, primary, secondary) {
          await run.disconnect()
          const mortality = new Mortality(1 + run.random.int(80), run.random.chance(0.5))
          const options = mortality.over(await run.options(primary, secondary))
          const before = run.model.taken
          let isTaken = false
          await run.inTime(
            protectPair(options)
              .then(async pair => {
                await pair.checkpoint().then(
                  () => {
                    isTaken = true
                  },
                  () => {},
                )
                await pair[Symbol.asyncDispose]()
              })
              .catch(() => {}),
          )
          await run.disconnect()
          run.model.committed()
          const after = run.model.taken
          await primary.qemu.stop()
          const { disks } = await run.status(primary, secondary)
          const force = disks.every(({ promotable }) => promotable.yes) ? undefined : 'it was being protected again'
          return taken(run, primary, secondary, isTaken ? [after] : [after, before], force)
        },
      },
      {
        name: 'own process killed while protecting',
        async before(run, primary, secondary, more) {
          const mortality = new Mortality(1 + run.random.int(160), run.random.chance(0.5))
          run.epoch++
          const options = { ...(await run.options(primary, secondary)), ...more }
          await run.inTime(
            protectPair(mortality.over(options)).then(
              pair => pair[Symbol.asyncDispose](),
              () => {},
            ),
          )
          await run.disconnect()
        },
        async happen(run, primary, secondary) {
          await primary.qemu.stop()
          return taken(run, primary, secondary)
        },
      },
      {
        name: 'QMP socket closed while protecting',
        async before(run, primary, secondary, more) {
          run.epoch++
          const options = { ...(await run.options(primary, secondary)), ...more }
          const outcome = protectPair(options).then(
            pair => pair[Symbol.asyncDispose](),
            () => {},
          )
          await delay(run.random.int(200))
          await run.random.pick([options.primary, options.secondary]).qmp.close()
          await run.inTime(outcome)
          await run.disconnect()
        },
        async happen(run, primary, secondary) {
          await primary.qemu.stop()
          return taken(run, primary, secondary)
        },
      },
      {
        name: 'port taken, wrong disks',
        async before(run, primary, secondary, more) {
          const { host, port } = run.qemus
          const server = createServer()
          await new Promise<void>(resolve => server.listen(port, host, resolve))
          run.epoch++
          const options = { ...(await run.options(primary, secondary)), ...more }
          await run.t.rejects(run.inTime(protectPair(options)), { code: 'refused' }, `${run.what}: port taken`)
          await new Promise(resolve => server.close(resolve))
          const wrong = { ...options, disks: [...options.disks, 'none'] }
          await run.t.rejects(run.inTime(protectPair(wrong)), { code: 'not-a-colo-disk' }, `${run.what}: wrong disk`)
          await run.disconnect()
        },
        async happen(run, primary, secondary) {
          await primary.qemu.stop()
          return taken(run, primary, secondary)
        },
      },
      {
        name: 'hidden overlay full',
        settings: (t, disks) => ({ secondary: { hidden: smallFileSystem(t, disks * 256 * 1024 + 640 * 1024) } }),
        async happen(run, primary, secondary) {
          const before = run.model.taken
          for (let at = 0; at < 8; at++) await run.write(primary)
          const outcome = await run.checkpoint().then(
            () => 'done',
            () => 'not done',
          )
          await primary.qemu.stop()
          const { disks } = await run.status(primary, secondary)
          const force = disks.every(({ promotable }) => promotable.yes) ? undefined : 'the primary is lost'
          return taken(run, primary, secondary, outcome === 'done' ? [run.model.taken] : [before], force)
        },
      },
      {
        name: 'active overlay full',
        settings: (t, disks) => ({ secondary: { active: smallFileSystem(t, disks * 256 * 1024 + 640 * 1024) } }),
        async happen(run, primary, secondary) {
          // what its own guest could not write is lost for it, and nothing else is
          await onEach(secondary, () => 'write -P 7 0 1M')
          run.model.own.clear()
          await run.write(primary)
          await run.checkpoint()
          await primary.qemu.stop()
          return taken(run, primary, secondary)
        },
      },
    ] satisfies Fault[]
  ).map(fault => [fault.name, fault]),
)

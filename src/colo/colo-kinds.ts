import type { CheckpointDevice, CheckpointKind, StepOptions } from '../checkpoint/checkpoint-kind.js'
import { coloProblems } from '../libxl/colo-problems.js'
import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import { viewBlocks } from '../qmp/block-view.js'
import { xenColoDoCheckpoint } from '../qmp/commands/xen-replication.js'
import type { Qmp } from '../qmp/qmp.js'
import { ReplicaHealth } from '../qmp/replica-health.js'
import { checkKind } from './arguments/check-kind.js'
import { forgetChanges, keepChanges, keepNext } from './copy/dirty-changes.js'
import { endExports } from './exports/secondary-exports.js'
import { changesBitmap } from './graph/node-names.js'
import { primaryState } from './graph/primary-state.js'
import { secondaryState } from './graph/secondary-state.js'
import { attachReplicas, detachReplicas, type ReplicaDriver } from './primary.js'
import { listen, startReplication } from './secondary.js'
import { refuseIfDegraded } from './take-checkpoint.js'

export interface ColoKindOptions {
  qmp: Qmp
  /** Every protection and take-over has a greater number. */
  epoch: number
  /** The id of this QEMU's `tls-creds-…` object. */
  tlsCreds?: string | undefined
}

export interface ColoPrimaryOptions extends ColoKindOptions {
  driver?: ReplicaDriver | undefined
}

/** How far disks are that one QEMU does a step for all at once. */
interface Group {
  disks: ResolvedDisk[]
  names: string[]
  /** Does the work once for all, and gives each of them its outcome. */
  once(step: keyof CheckpointDevice, work: () => Promise<void>): Promise<void>
  /** Forgets its disks. */
  clear(): void
}

/**
 * The primary's side of COLO disks, for `setUpCheckpoints` (libxl's `colo_qdisk` of a saving domain): its writes go to the secondary too.
 * The secondary's side is set up before it, and both hold the same data then: `protectPair` makes them equal, this does not. The caller
 * stops the guest before `postsuspend`, has the secondary's `preresume` done before this one's, and commits both.
 */
export function coloPrimaryKind(given: ColoPrimaryOptions): CheckpointKind<ResolvedDisk> {
  checkKind(given)
  const { qmp, epoch, tlsCreds, driver } = given
  let health: ReplicaHealth | undefined
  return coloKind('colo-qdisk, primary', group => {
    const { names: disks } = group
    const images = async (options: StepOptions) => {
      const view = await viewBlocks(qmp, options)
      return disks.flatMap(name => {
        const state = primaryState(view, name)
        return 'image' in state ? [state.image] : []
      })
    }
    const nodes = async (options: StepOptions) => (await images(options)).map(({ nodeName }) => nodeName)
    return {
      setup: options =>
        group.once('setup', async () => {
          health = new ReplicaHealth(qmp)
          const [{ coloHost, coloPort }] = group.disks as [ResolvedDisk]
          await keepChanges(qmp, await images(options), changesBitmap(epoch), options)
          await attachReplicas(qmp, { disks, epoch, driver, host: coloHost!, port: coloPort, tlsCreds, ...options })
        }),
      postsuspend: options =>
        group.once('postsuspend', async () => {
          await keepNext(qmp, await nodes(options), changesBitmap(epoch), options)
          await refuseIfDegraded(qmp, { disks, epoch, driver: driver ?? 'replication', health: health! }, options)
        }),
      preresume: options =>
        group.once('preresume', async () => {
          if (driver !== 'nbd') await qmp.run(xenColoDoCheckpoint, undefined, options)
        }),
      commit: options =>
        group.once('commit', async () => {
          const all = await nodes(options)
          // what its own image misses has to be copied back some day
          if (all.every(node => health!.bad(node) === undefined))
            await forgetChanges(qmp, all, changesBitmap(epoch), options)
        }),
      teardown: options =>
        group.once('teardown', async () => {
          health?.[Symbol.dispose]()
          await detachReplicas(qmp, { disks, epoch, ...options })
        }),
    }
  })
}

/**
 * The secondary's side (libxl's `colo_qdisk` of a restoring domain): one NBD server for all disks, an export for each, and replication. To
 * tear it down ends the exports; the overlays keep the last checkpoint, which `failOver` takes over.
 */
export function coloSecondaryKind(given: ColoKindOptions): CheckpointKind<ResolvedDisk> {
  checkKind(given)
  const { qmp, epoch, tlsCreds } = given
  return coloKind('colo-qdisk, secondary', group => {
    const { names: disks } = group
    const images = async (options: StepOptions) => {
      const view = await viewBlocks(qmp, options)
      return disks.flatMap(name => {
        const state = secondaryState(view, name)
        return 'image' in state ? [state.image] : []
      })
    }
    const nodes = async (options: StepOptions) => (await images(options)).map(({ nodeName }) => nodeName)
    return {
      setup: options =>
        group.once('setup', async () => {
          const [{ coloHost, coloPort }] = group.disks as [ResolvedDisk]
          await listen(qmp, { disks, epoch, host: coloHost!, port: coloPort, tlsCreds, ...options })
          await keepChanges(qmp, await images(options), changesBitmap(epoch), options)
          await startReplication(qmp, { disks, ...options })
        }),
      postsuspend: options =>
        group.once('postsuspend', async () => keepNext(qmp, await nodes(options), changesBitmap(epoch), options)),
      preresume: options => group.once('preresume', () => qmp.run(xenColoDoCheckpoint, undefined, options)),
      commit: options =>
        group.once('commit', async () => forgetChanges(qmp, await nodes(options), changesBitmap(epoch), options)),
      teardown: options => group.once('teardown', () => endExports(qmp, () => options)),
    }
  })
}

function coloKind(name: string, deviceOf: (group: Group) => CheckpointDevice): CheckpointKind<ResolvedDisk> {
  const group = newGroup()
  const device = deviceOf(group)
  return {
    name,
    async match(disk) {
      if (!disk.coloEnable) return { mismatch: 'it has no colo' }
      // offered anew, after an attempt that failed
      if (group.disks.includes(disk)) group.clear()
      const [problem] = coloProblems([...group.disks, disk]).filter(problem => problem.disk === disk)
      if (problem !== undefined) return { mismatch: problem.why }
      group.disks.push(disk)
      group.names.push(disk.coloExport!)
      return { device }
    },
  }
}

function newGroup(): Group {
  const disks: ResolvedDisk[] = []
  const names: string[] = []
  let last: { step: keyof CheckpointDevice; asked: number; work: Promise<void> } | undefined
  return {
    disks,
    names,
    clear() {
      disks.length = 0
      names.length = 0
      last = undefined
    },
    once(step, work) {
      // no setup came before: what runs there is another protection's
      if (step === 'teardown' && last === undefined) return Promise.resolve()
      // each disk asks once a round; the first one's asking does it
      if (last?.step !== step || last.asked === disks.length) last = { step, asked: 0, work: work() }
      last.asked++
      return last.work
    },
  }
}

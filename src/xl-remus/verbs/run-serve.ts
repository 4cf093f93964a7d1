import { StateFile } from '../../cluster/node/state-file.js'
import { remusView } from '../../cluster/remus-view.js'
import { certificates } from '../../command-line/certificates.js'
import { complain } from '../../command-line/complain.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { openLeaseEtcd } from '../../command-line/lease-choice.js'
import { LogLines } from '../../command-line/log-lines.js'
import { sayChanges } from '../../command-line/say-changes.js'
import { servingMetrics } from '../../command-line/serving-metrics.js'
import type { Etcd } from '../../lease/node/open-etcd.js'
import { LeasedPair } from '../../leased-pair/leased-pair.js'
import type { PairDisk } from '../../leased-pair/pair-disk.js'
import { remusFamilies } from '../../metrics/remus-families.js'
import type { ServedStatus } from '../../protocol-d/control/served-status.js'
import { arbiterProgram } from '../../protocol-d/node/arbiter-program.js'
import { ServedDisk } from '../../protocol-d/node/serve-disk.js'
import type { ServeCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { pairName } from '../pair-name.js'
import { levelOf, statusText } from '../status-text.js'

/** Serves until it is interrupted; a line says whenever something has changed. No reader of the lines holds the guest's disk up, or ends it. */
export async function runServe(command: ServeCommand, io: Io): Promise<number> {
  const { kind: _, pairFile, tls, deadAfter, arbiter, lease, stateFile, metrics, json, ...options } = command
  await using service = io.service('xl-remus')
  using interruption = interruptible(io)
  using etcd = lease && openLeaseEtcd(lease)
  await using pair = lease && etcd && pairOf(command, lease, etcd)
  await using disk = await ServedDisk.serve({
    ...options,
    pair: pairName(pairFile),
    tls: tls === undefined ? undefined : certificates(tls),
    timeout: deadAfter,
    arbiter: pair ?? (arbiter === undefined ? undefined : arbiterProgram(arbiter)),
    guard: pair,
  })
  pair?.begin(diskOf(disk))
  const families = () => remusFamilies(command.name, disk.status(), disk.disk.counts)
  await using _metrics = await servingMetrics('xl-remus', metrics, families)
  using state =
    stateFile === undefined ? undefined : new StateFile(stateFile, () => viewOf(disk.status()), sayFailed(io))
  const served = {
    get status(): ServedStatus {
      return disk.status()
    },
    onChange: (listener: () => void) =>
      disk.onChange(() => {
        state?.changed()
        listener()
      }),
  }
  await sayChanges(interruption, served, {
    lines: new LogLines(io, { json }),
    service,
    // what only counts is no news
    textOf: status => statusText({ ...status, ...counts }),
    lineOf: statusText,
    levelOf,
  })
  return interruption.status ?? exitStatus('done')
}

const pairOf = ({ peer }: ServeCommand, { name, node, ttl }: NonNullable<ServeCommand['lease']>, etcd: Etcd) =>
  new LeasedPair({ ...etcd, name, ttl, self: { name: node, side: 'listen' in peer ? 'listen' : 'connect' } })

/** The node, as its pair has it. */
const diskOf = (served: ServedDisk): PairDisk => ({
  status: () => served.status(),
  onChange: changed => served.disk.onChange(changed),
  promote: (options, limits) => served.disk.promote(options, limits),
  demote: options => served.demote(options),
  discardOwnChanges: () => served.disk.discardOwnChanges(),
})

const viewOf = (status: ServedStatus) => ({ ...remusView(status), state: statusText(status) })

const sayFailed = (io: Io) => (error: Error) =>
  complain(io, 'xl-remus', `the state file cannot be written: ${error.message}`)

const counts = {
  checkpoint: 0,
  differing: 0,
  toCopy: 0,
  openEpoch: 0,
  unacknowledged: 0,
  unsent: 0,
  clients: 0,
} as const

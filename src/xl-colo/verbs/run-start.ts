import { dirtyExtents } from '../../colo/node/dirty-extents.js'
import { localFreeSpace } from '../../colo/node/free-space.js'
import type { ColoPair } from '../../colo/pair/pair.js'
import type { PairEvent } from '../../colo/pair/pair-event.js'
import type { PairOptions } from '../../colo/pair/pair-options.js'
import { protectPair } from '../../colo/pair/protect-pair.js'
import { pairStatus } from '../../colo/pair-status.js'
import { type Interruption, interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { servingMetrics } from '../../command-line/serving-metrics.js'
import { ColoCounts } from '../../metrics/colo-counts.js'
import { type Service, unheard } from '../../service/service.js'
import { epochOfProtection } from '../choose-epoch.js'
import type { StartCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { keepPair } from '../keep-pair.js'
import { makeOverlays } from '../make-overlays.js'
import { heardReporter } from '../output/heard-reporter.js'
import type { Reporter } from '../output/reporter.js'
import { reporterFor } from '../output/reporter-for.js'
import { type LookedAt, servingColoPage } from '../page/serving-colo-page.js'
import { openRecords } from '../records.js'
import { withStatus } from '../refusal.js'
import { openSide } from '../sides.js'
import { whichDisks } from '../which-disks.js'

const unwatched =
  'nobody watches the disks now: a secondary that falls silent holds up the guest; --every stays and watches'

/** Protects disks, and with --every stays to take checkpoints. */
export async function runStart(command: StartCommand, io: Io): Promise<number> {
  const { ends, json } = command
  // who does not stay is no service
  await using service = command.every === undefined ? unheard : io.service('xl-colo')
  const reporter = heardReporter(reporterFor(json, io), service)
  using interruption = interruptible(io)
  const { signal } = interruption
  const records = openRecords(ends.records, io)
  const limits = { timeout: ends.timeout, signal }
  const sides: LookedAt = { primary: undefined, secondary: undefined }
  const secondarySide = async () => {
    const side = await openSide('secondary', ends.secondary, { ...limits, records: records.secondary })
    sides.secondary = side.qmp
    return side
  }
  try {
    await using primary = await openSide('primary', ends.primary, { ...limits, records: records.primary })
    await using secondary = await secondarySide()
    sides.primary = primary.qmp
    const disks = await whichDisks(ends.disks, [primary, secondary], limits)
    const status = await pairStatus({ primary, secondary, disks, ...limits })
    const unseen = status.primary.error ?? status.secondary.error
    if (unseen !== undefined) throw unseen
    const epoch = command.epoch ?? epochOfProtection(status)
    reporter.say(`epoch ${epoch}`, { event: 'epoch', epoch })
    const counts = new ColoCounts({ epoch, every: command.every ?? 0 })
    await using _metrics = await servingMetrics('xl-colo', command.metrics, () => counts.families())
    await using page = await servingColoPage(command.page, { epoch, every: command.every ?? 0, sides })
    const onEvent = (event: PairEvent) => {
      page.event(event)
      counts.event(event)
      reporter.event(event)
    }
    const overlays = await makeOverlays(status, { folder: command.overlays, epoch })
    const options: PairOptions = {
      primary,
      secondary,
      disks,
      ...command.listen,
      tlsCreds: command.tls,
      epoch,
      driver: command.plainNbd ? 'nbd' : 'replication',
      equal: command.equal,
      speed: command.speed,
      overlays,
      readExtents: dirtyExtents,
      freeSpace: localFreeSpace,
      onEvent,
      signal,
      timeout: ends.timeout,
    }
    // a first copy may take hours: it is the service's work, and not its start
    service.ready()
    const pair = await protectPair(options)
    await stay(pair, options, command, { interruption, onEvent, reporter, service, reconnect: secondarySide })
    return exitStatus('done')
  } catch (error) {
    if (interruption.status === undefined) throw withStatus(error)
    reporter.warn('interrupted before the disks were protected: the primary goes on alone')
    return interruption.status
  }
}

interface Staying {
  interruption: Interruption
  onEvent: (event: PairEvent) => void
  reporter: Reporter
  service: Service
  reconnect: Parameters<typeof keepPair>[2]['reconnect']
}

async function stay(
  first: ColoPair,
  options: PairOptions,
  { every, stopOnExit }: StartCommand,
  { interruption: { signal }, onEvent, reporter, service, reconnect }: Staying,
): Promise<void> {
  let pair = first
  try {
    if (every !== undefined) {
      const onRetry = (why: string, after: number) => onEvent({ type: 'retry', why, after })
      pair = await keepPair(pair, options, { every, signal, reconnect, onRetry })
      service.stopping()
    }
    if (stopOnExit) {
      await pair.stop()
      reporter.say('the protection was ended', { event: 'stopped', epoch: options.epoch })
    } else {
      reporter.warn(unwatched)
    }
  } finally {
    await pair[Symbol.asyncDispose]()
  }
}

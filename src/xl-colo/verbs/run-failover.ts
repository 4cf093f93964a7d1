import { type PairStatus, pairStatus } from '../../colo/pair-status.js'
import { failOver } from '../../colo/take-over/fail-over.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { cont } from '../../qmp/commands/stop-cont.js'
import { epochOfTakeOver } from '../choose-epoch.js'
import type { FailoverCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { reporterFor } from '../output/reporter-for.js'
import { openRecords } from '../records.js'
import { Refusal, withStatus } from '../refusal.js'
import { openSide, reachSide } from '../sides.js'
import { whichDisks } from '../which-disks.js'

/** Has the secondary take over; who is to be primary is decided by who calls. */
export async function runFailover(command: FailoverCommand, io: Io): Promise<number> {
  const { ends, json, force } = command
  const reporter = reporterFor(json, io)
  using interruption = interruptible(io)
  const { signal } = interruption
  const { timeout } = ends
  const limits = { timeout, signal }
  const records = openRecords(ends.records, io)
  try {
    await using secondary = await openSide('secondary', ends.secondary, { ...limits, records: records.secondary })
    await using primary = ends.primary && (await reachSide(ends.primary, { ...limits, records: records.primary }))
    const disks = await whichDisks(ends.disks, [secondary], limits)
    const status = await pairStatus({ primary: primary?.side, secondary, disks, ...limits })
    if (status.secondary.error !== undefined) throw status.secondary.error
    if (status.running.primary && force === undefined) throw primaryRuns()
    if (isTakenOver(status)) {
      reporter.say(`taken over already: epoch ${status.epoch}`, { event: 'taken-over', epoch: status.epoch })
    } else {
      const epoch = command.epoch ?? epochOfTakeOver(status)
      reporter.say(`epoch ${epoch}`, { event: 'epoch', epoch })
      let before = -1
      const onProgress = (done: number, all: number) => {
        if (done !== before) reporter.say(`${done} of ${all} disks taken over`, { event: 'taking-over', done, all })
        before = done
      }
      await failOver({ secondary, disks, epoch, force, onProgress, signal })
      reporter.say(`taken over: epoch ${epoch}`, { event: 'taken-over', epoch })
    }
    if (command.resume) {
      await secondary.qmp.run(cont, undefined, limits)
      reporter.say('the guest runs', { event: 'resumed' })
    }
    return exitStatus('done')
  } catch (error) {
    if (interruption.status !== undefined) {
      reporter.warn('interrupted: fail over again, and it goes on')
      return interruption.status
    }
    throw withStatus(error)
  }
}

const primaryRuns = (): Refusal =>
  new Refusal(
    'primaryRuns',
    "the primary's guest runs, and two would be active: stop it, or say --force REASON (that it is not seen running is no fencing: see to that yourself)",
  )

/** Called again after it was done. */
const isTakenOver = ({ secondary, epoch }: PairStatus): boolean =>
  secondary.sight?.disks.every(
    ({ role, record }) => role === 'primary' && record?.state === 'alone' && record.epoch === epoch,
  ) ?? false

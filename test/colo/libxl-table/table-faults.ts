import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Form, forms } from '../../dm-args/real-qemu/forms.js'
import { type FaultDisks, lost, type Outcome, refused, type TableRun } from './table-run.js'

/** A row of the table. */
export interface TableFault extends FaultDisks {
  name: string
  happen: (run: TableRun) => Promise<Outcome>
}

/** A pair that was just made is protected, and works. */
async function begin(run: TableRun): Promise<void> {
  const { primary, secondary } = run.pair
  if (!(await run.way.protect(primary, secondary, true))) throw new Error('it is not protected')
  await run.work()
}

/** The primary goes on alone, and its guest does not wait. */
async function alone(run: TableRun): Promise<Outcome> {
  await run.write('aio_write')
  if (await run.way.checkpoint()) return lost('a checkpoint that was taken for done is not there')
  await run.way.detach()
  if (!(await run.inTime(run.write()))) return lost("the primary's guest hangs, and its monitor")
  return run.compare(run.pair.primary, () => run.model.primary)
}

/** libxl's drives, as another record would have them. */
const changed = (change: (drive: string) => string): Form => ({
  lenient: true,
  build(guest) {
    const { args, ...rest } = forms.drive.build(guest)
    return { ...rest, args: args.map(change) }
  },
})

/** What is left where it was not refused: a failover as if nothing were. */
async function wrongDisks(run: TableRun): Promise<Outcome> {
  const { primary, secondary } = run.pair
  const isProtected = await run.way.protect(primary, secondary, true)
  const isAlive = await secondary.qemu.client.execute('query-status').then(
    () => true,
    () => false,
  )
  if (!isAlive) return lost("the secondary's QEMU aborts")
  if (!isProtected) return refused
  await run.write()
  if (await run.way.checkpoint()) run.committed()
  await run.write()
  await primary.qemu.stop()
  return run.takeOver(() => run.model.taken)
}

export const tableFaults: readonly TableFault[] = [
  {
    name: 'the primary is killed',
    async happen(run) {
      await begin(run)
      await run.pair.primary.qemu.stop()
      return run.takeOver(() => run.model.taken)
    },
  },
  {
    name: 'the primary is killed in a checkpoint',
    async happen(run) {
      await begin(run)
      const before = run.model.taken
      const after = [...run.model.primary]
      const checkpoint = run.way.checkpoint()
      const wait = run.random.int(4)
      if (wait > 0) await delay(wait - 1)
      await run.pair.primary.qemu.stop()
      const isDone = await checkpoint
      const isThere = await run.tookCheckpoint()
      return run.takeOver(() => (isDone || isThere() ? after : before))
    },
  },
  {
    name: 'the primary writes during the take-over',
    async happen(run) {
      await begin(run)
      return run.takeOver(() => run.model.taken, { writes: 'during' })
    },
  },
  {
    name: 'the old primary writes after the take-over',
    async happen(run) {
      await begin(run)
      return run.takeOver(() => run.model.taken, { writes: 'afterwards' })
    },
  },
  {
    name: 'somebody connects to the port and waits',
    async happen(run) {
      await begin(run)
      const { host, port, primary } = run.pair
      await primary.qemu.stop()
      const socket = connect(port, host).on('error', () => {})
      await once(socket, 'data')
      const outcome = await run.takeOver(() => run.model.taken)
      socket.destroy()
      return outcome
    },
  },
  {
    name: 'the link is cut before a checkpoint',
    async happen(run) {
      await begin(run)
      run.link.cut()
      await run.write()
      if (await run.way.checkpoint()) run.committed()
      await run.pair.primary.qemu.stop()
      return run.takeOver(() => run.model.taken, { commit: true })
    },
  },
  {
    name: 'the secondary is killed',
    async happen(run) {
      await begin(run)
      await run.pair.secondary.qemu.stop()
      return alone(run)
    },
  },
  {
    name: 'the secondary freezes',
    async happen(run) {
      await begin(run)
      process.kill(run.pair.secondary.qemu.pid, 'SIGSTOP')
      return alone(run)
    },
  },
  {
    name: 'the same primary is protected again',
    async happen(run) {
      await begin(run)
      if (await run.way.checkpoint()) run.committed()
      await run.way.detach()
      const { pair } = run
      await pair.secondary.qemu.quit()
      pair.secondary = await pair.restart(pair.secondary, 'secondary')
      if (!(await run.way.protect(pair.primary, pair.secondary, false))) return refused
      await run.write()
      if (await run.way.checkpoint()) run.committed()
      await pair.primary.qemu.stop()
      return run.takeOver(() => run.model.taken, { commit: true })
    },
  },
  {
    name: "the secondary's image is read-only",
    form: changed(drive => drive.replace(/^(if=none,driver=.*?)(?:,readonly=off)?$/, '$1,readonly=on')),
    happen: wrongDisks,
  },
  {
    name: 'the disk is read-only',
    form: changed(drive => drive.replace('readonly=off', 'readonly=on')),
    // on IDE no disk can be
    vdevs: ['sda'],
    happen: wrongDisks,
  },
  {
    name: 'the secondary has no replication node',
    form: changed(drive => drive.replace(/driver=replication,mode=secondary.*/, 'driver=null-co')),
    happen: wrongDisks,
  },
]

import type { Test } from 'tap'
import { startsOfQemu } from '../../real/qemu.js'
import { realPart } from '../../support/real-part.js'
import { alone } from './domain.js'
import { textOf } from './files.js'
import { blockdev, drive, isRefused } from './forms.js'
import { plan, planFor } from './plan.js'
import { hostileSeed as seed } from './seed.js'
import { benignName, createTrial } from './trial.js'

/** Two at a time: a QEMU starts on one core while another is looked at. */
async function inPairs<T>(items: readonly T[], work: (item: T, worker: number) => Promise<void>): Promise<void> {
  const rest = items.values()
  const worker = async (number: number) => {
    for (const item of rest) await work(item, number)
  }
  await Promise.all([worker(0), worker(1)])
}

/** Hostile names in each form: QEMU opens the file that is named and shows nothing else than for a harmless one, or we refuse. */
export async function tryHostileNames(t: Test, count: number): Promise<void> {
  for (const form of [drive, blockdev])
    await t.test(`${count} hostile names for ${form.name}, seed ${seed}`, async t => {
      using trial = await realPart(t, createTrial)
      if (trial === undefined) return
      const whole = plan(trial, seed, count)
      const { batches, missing, refused, refusedExports } = form === drive ? whole : planFor(form, whole)

      const taken: string[] = []
      for (const { domain: whole, slot: index, name } of refused) {
        const { domain, slot } = alone(whole, index)
        const texts = domain.slots.map((_, other) => (other === slot ? textOf(name, trial.folder(0), 0) : '/benign'))
        if (!isRefused(form, domain, texts)) taken.push(JSON.stringify(texts[slot]))
      }
      for (const { domain, disk, id } of refusedExports)
        if (!isRefused(form, { ...domain, disks: [domain.disks[disk]!], slots: [] }, [], [id])) taken.push(id)
      t.strictSame(taken, [], 'what no argument can hold is refused with a LibxlError')

      let opened = 0
      let ids = 0
      const wrong: string[] = []
      await inPairs(batches, async ({ domain, names, exports }, worker) => {
        if (wrong.length > 0) return
        const at = { worker, exports }
        const violation = await trial.run(form, domain, names, at)
        if (violation === undefined) {
          opened += names.filter(name => name !== benignName).length
          ids += exports.length
        } else wrong.push(`${domain.name}: ${violation}\n${await trial.explain(form, domain, names, at)}`)
      })
      t.strictSame(wrong, [], 'each name is opened as itself, and is nothing else')

      let notFound = 0
      const found: string[] = []
      await inPairs(missing, async ({ domain, slot, name }, worker) => {
        const violation = await trial.runMissing(form, domain, slot, name, { worker })
        if (violation === undefined) notFound++
        else found.push(`${domain.name}: ${JSON.stringify(textOf(name, trial.folder(worker), slot))}: ${violation}`)
      })
      t.strictSame(found, [], 'QEMU finds nothing where there is nothing')

      t.comment(`${opened} hostile names opened as themselves`)
      t.comment(`${ids} hostile export names taken as ids`)
      t.comment(`${refused.length} hostile names refused`)
      t.comment(`${refusedExports.length} hostile export names refused`)
      t.comment(`${notFound} names of nothing not found`)
      for (const starts of startsOfQemu()) t.comment(`${starts} so far`)
      t.ok(opened > 0.8 * count, 'most were opened')
      t.ok(Math.min(refused.length, refusedExports.length, ids) > 0.005 * count, 'some were refused')
      t.ok(notFound > 0, 'some name nothing')
    })
}

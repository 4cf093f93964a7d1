import { randomInt } from 'node:crypto'
import t from 'tap'
import { LibxlError } from 'xenlight'
import { buildDiskArgs } from 'xenlight/dm-args'
import { startsOfQemu } from '../real/qemu.js'
import { createRandom } from '../support/random.js'
import { realPart } from '../support/real-part.js'
import { alone, type Domain, domains, named } from './hostile-domain.js'
import { fateOf, textOf } from './hostile-files.js'
import { type HostileName, hostileExport, hostileName } from './hostile-names.js'
import { benignName, createTrial, type Form, type Trial } from './hostile-trial.js'

const { CI, SEED } = process.env
const seed = SEED !== undefined ? Number(SEED) : CI ? randomInt(2 ** 32) : 1
const count = 10_000

const forms: Form[] = [{ name: 'drive', build: buildDiskArgs }]
const exact: Form = {
  name: 'exact',
  build: (disks, options) => buildDiskArgs(disks, { ...options, libxlExact: true }),
}

interface Refused {
  domain: Domain
  slot: number
  name: HostileName
}

interface Batch {
  domain: Domain
  names: HostileName[]
  exports: string[]
}

interface Plan {
  batches: Batch[]
  missing: Refused[]
  refused: Refused[]
  refusedExports: { domain: Domain; disk: number; id: string }[]
}

/** Names for all slots of all domains, again and again. */
function plan(trial: Trial): Plan {
  const random = createRandom(seed)
  const plan: Plan = { batches: [], missing: [], refused: [], refusedExports: [] }
  let drawn = 0
  const draw = (domain: Domain, slot: number): HostileName => {
    for (;;) {
      const name = hostileName(random, trial.victim)
      const { field } = domain.slots[slot]!
      // the workers' folders have names of one length
      const folder = trial.folder(0)
      const fate = fateOf(textOf(name, folder, slot), field, folder)
      if (field === 'socket' && fate === 'cannot exist' && random.chance(0.9)) continue
      drawn++
      if (fate === 'opened') return name
      plan[fate === 'refused' ? 'refused' : 'missing'].push({ domain, slot, name })
    }
  }
  const drawId = (domain: Domain, disk: number): string => {
    for (;;) {
      const id = hostileExport(random, trial.victim)
      if (/^[a-z][\w.-]*$/i.test(id)) return `${id}.${disk}`
      drawn++
      plan.refusedExports.push({ domain, disk, id })
    }
  }
  while (drawn < count)
    for (const domain of Object.values(domains)) {
      const names = domain.slots.map((_, slot) => draw(domain, slot))
      plan.batches.push({
        domain,
        names,
        exports: domain.disks.flatMap(({ coloEnable }, disk) => (coloEnable ? drawId(domain, disk) : [])),
      })
    }
  return plan
}

/** Two at a time: a QEMU starts on one core while another is looked at. */
async function inPairs<T>(items: readonly T[], work: (item: T, worker: number) => Promise<void>): Promise<void> {
  const rest = items.values()
  const worker = async (number: number) => {
    for (const item of rest) await work(item, number)
  }
  await Promise.all([worker(0), worker(1)])
}

await t.test(`10,000 hostile names, seed ${seed}`, async t => {
  using trial = await realPart(t, createTrial)
  if (trial === undefined) return
  const { batches, missing, refused, refusedExports } = plan(trial)

  for (const { name: form, build } of forms) {
    const refusal = (domain: Domain, texts: readonly string[], exports?: string[]) => {
      try {
        const { disks, options } = named(domain, texts, exports)
        return build(disks, options)
      } catch (error) {
        return error
      }
    }
    const wrong: string[] = []
    for (const { domain: whole, slot: index, name } of refused) {
      const { domain, slot } = alone(whole, index)
      const texts = domain.slots.map((_, other) => (other === slot ? textOf(name, '/d', 0) : '/benign'))
      if (!(refusal(domain, texts) instanceof LibxlError)) wrong.push(JSON.stringify(texts[slot]))
    }
    for (const { domain: whole, disk, id } of refusedExports) {
      const domain = { ...whole, disks: [whole.disks[disk]!], slots: [] }
      if (!(refusal(domain, [], [id]) instanceof LibxlError)) wrong.push(JSON.stringify(id))
    }
    t.strictSame(wrong, [], `${form}: what no argument can hold is refused with a LibxlError`)
  }

  let opened = 0
  let ids = 0
  for (const form of forms) {
    const wrong: string[] = []
    await inPairs(batches, async ({ domain, names, exports }, worker) => {
      if (wrong.length > 0) return
      const at = { worker, exports }
      const violation = await trial.run(form, domain, names, at)
      if (violation === undefined) {
        opened += names.length
        ids += exports.length
      } else wrong.push(`${domain.name}: ${violation}\n${await trial.explain(form, domain, names, at)}`)
    })
    t.strictSame(wrong, [], `${form.name}: each name is opened as itself`)
  }

  let notFound = 0
  for (const form of forms) {
    const wrong: string[] = []
    await inPairs(missing, async ({ domain, slot, name }, worker) => {
      const violation = await trial.runMissing(form, domain, slot, name, { worker })
      if (violation === undefined) notFound++
      else wrong.push(`${domain.name}: ${JSON.stringify(textOf(name, trial.folder(worker), slot))}: ${violation}`)
    })
    t.strictSame(wrong, [], `${form.name}: QEMU finds nothing where there is nothing`)
  }

  const refusals = (refused.length + refusedExports.length) * forms.length
  t.comment(`${opened} hostile names opened as themselves`)
  t.comment(`${ids} hostile export names taken as ids`)
  t.comment(`${refusals} refused`)
  t.comment(`${notFound} names of nothing not found`)
  for (const starts of startsOfQemu()) t.comment(starts)
  t.ok(opened > 0.7 * count * forms.length, 'most were opened')
  t.ok(refusals > 0.05 * count * forms.length, 'many were refused')
  t.ok(ids > 500 && notFound > 50)
})

const g = 'g.img'
/** libxl's strings, in which each of these is an option or a protocol; ids stand in for names where `id` is set. */
const bites: { what: string; on: keyof typeof domains; words: string[]; relative?: boolean; finds: RegExp }[] = [
  { what: 'another file', on: 'ide', words: [g, ',file=VICTIM'], finds: /has opened VICTIM$/ },
]
void exact
void benignName
void bites

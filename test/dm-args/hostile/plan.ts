import { createRandom } from '../../support/random.js'
import { type Domain, domains } from './domain.js'
import { fateOf, textOf } from './files.js'
import type { Form } from './forms.js'
import { type HostileName, hostileExport, hostileName } from './names.js'
import { benignName, type Trial } from './trial.js'

interface Batch {
  domain: Domain
  names: readonly HostileName[]
  exports: readonly string[]
}

interface OneName {
  domain: Domain
  slot: number
  name: HostileName
}

interface OneExport {
  domain: Domain
  disk: number
  id: string
}

/** What is to become of a lot of names. */
export interface Plan {
  batches: Batch[]
  missing: OneName[]
  refused: OneName[]
  refusedExports: OneExport[]
}

/** Names for all slots of all domains, again and again. */
export function plan(trial: Trial, seed: number, count: number): Plan {
  const random = createRandom(seed)
  const made: Plan = { batches: [], missing: [], refused: [], refusedExports: [] }
  let drawn = 0
  const draw = (domain: Domain, slot: number): HostileName => {
    for (;;) {
      const name = hostileName(random, trial.victim)
      const { field } = domain.slots[slot]!
      // the workers' folders have names of one length
      const text = textOf(name, trial.folder(0), slot)
      const old = domain.options.dialect === '4.7'
      // one that is in the way of another gets a longer name
      if (old && Math.abs(Buffer.byteLength(text) - 1023) < 100) continue
      const fate = old && isTooMuchFor47(text) ? 'refused' : fateOf(text, field, trial.folder(0))
      // a URL is no file's name: what is none, though it looks like one, nbd-target.test.ts says
      if (/^nbd\+unix:\/\/[^?]*\?socket=/.test(text)) continue
      if (field === 'nbd' && (fate !== 'opened' || !text.startsWith('/') || text.startsWith('/dev/fdset'))) continue
      if (field === 'socket' && fate === 'cannot exist' && random.chance(0.95)) continue
      drawn++
      if (fate === 'opened') return name
      made[fate === 'refused' ? 'refused' : 'missing'].push({ domain, slot, name })
    }
  }
  const drawExport = (domain: Domain, disk: number): string => {
    for (;;) {
      const id = hostileExport(random, trial.victim)
      if (/^[a-z][\w.-]*$/i.test(id)) return `${id}.${disk}`
      made.refusedExports.push({ domain, disk, id })
    }
  }
  while (drawn < count)
    for (const domain of Object.values(domains)) {
      const names = domain.slots.map((_, slot) => draw(domain, slot))
      const exports = domain.disks.flatMap(({ coloEnable }, disk) => (coloEnable ? drawExport(domain, disk) : []))
      made.batches.push({ domain, names, exports })
    }
  return made
}

/** What the QEMUs of Xen 4.7 would read otherwise. */
const isTooMuchFor47 = (text: string) => Buffer.byteLength(text) > 1023 || text.includes(',id=')

/** The plan for a form that takes fewer names, and no dialect. */
export function planFor({ takes, takesId }: Form, { batches, missing, refused, refusedExports }: Plan): Plan {
  const fits = ({ domain }: { domain: Domain }) => domain.options.dialect === undefined
  const own: Plan = {
    batches: [],
    missing: missing.filter(one => fits(one) && takes(one.name.words.join(''))),
    refused: [...refused, ...missing.filter(one => !takes(one.name.words.join('')))].filter(fits),
    refusedExports: [...refusedExports],
  }
  for (const { domain, names, exports } of batches.filter(fits))
    own.batches.push({
      domain,
      names: names.map((name, slot) => {
        if (takes(name.words.join(''))) return name
        own.refused.push({ domain, slot, name })
        return benignName
      }),
      exports: exports.map((id, disk) => {
        if (takesId(id)) return id
        own.refusedExports.push({ domain, disk, id })
        return domain.disks[disk]!.coloExport!
      }),
    })
  return own
}

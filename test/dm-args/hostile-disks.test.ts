import { randomInt } from 'node:crypto'
import t from 'tap'
import { LibxlError, type ResolvedDisk } from 'xenlight'
import { buildBlockdevArgs, buildDiskArgs } from 'xenlight/dm-args'
import { startsOfQemu } from '../real/qemu.js'
import { createRandom } from '../support/random.js'
import { realPart } from '../support/real-part.js'
import { alone, type Domain, domains, named } from './hostile-domain.js'
import { fateOf, textOf } from './hostile-files.js'
import { type HostileName, hostileExport, hostileName } from './hostile-names.js'
import { benignName, createTrial, type Form, type Trial } from './hostile-trial.js'

const { CI, SEED, RUNS } = process.env
const seed = SEED !== undefined ? Number(SEED) : CI ? randomInt(2 ** 32) : 1
const count = Number(RUNS ?? 10_000)

const drive: Form = { name: '-drive', build: buildDiskArgs, takes: () => true, takesId: () => true }
const blockdev: Form = {
  name: '-blockdev',
  build: buildBlockdevArgs,
  takes: text => !/\p{Noncharacter_Code_Point}/u.test(text),
  takesId: id => id.length <= 31,
}
const exact: Form = { ...drive, build: (disks, options) => buildDiskArgs(disks, { ...options, libxlExact: true }) }

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
interface Plan {
  batches: Batch[]
  missing: OneName[]
  refused: OneName[]
  refusedExports: OneExport[]
}

/** Names for all slots of all domains, again and again. */
function plan(trial: Trial): Plan {
  const random = createRandom(seed)
  const made: Plan = { batches: [], missing: [], refused: [], refusedExports: [] }
  let drawn = 0
  const draw = (domain: Domain, slot: number): HostileName => {
    for (;;) {
      const name = hostileName(random, trial.victim)
      const { field } = domain.slots[slot]!
      // the workers' folders have names of one length
      const fate = fateOf(textOf(name, trial.folder(0), slot), field, trial.folder(0))
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

/** The plan for a form that takes fewer names, and no dialect. */
function planFor({ takes, takesId }: Form, { batches, missing, refused, refusedExports }: Plan): Plan {
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

/** Two at a time: a QEMU starts on one core while another is looked at. */
async function inPairs<T>(items: readonly T[], work: (item: T, worker: number) => Promise<void>): Promise<void> {
  const rest = items.values()
  const worker = async (number: number) => {
    for (const item of rest) await work(item, number)
  }
  await Promise.all([worker(0), worker(1)])
}

const isRefused = ({ build }: Form, domain: Domain, texts: readonly string[], exports?: string[]): boolean => {
  const { disks, options } = named(domain, texts, exports)
  try {
    build(disks, options)
    return false
  } catch (error) {
    if (error instanceof LibxlError) return true
    throw error
  }
}

for (const form of [drive, blockdev])
  await t.test(`${count} hostile names for ${form.name}, seed ${seed}`, async t => {
    using trial = await realPart(t, createTrial)
    if (trial === undefined) return
    const whole = plan(trial)
    const { batches, missing, refused, refusedExports } = form === drive ? whole : planFor(form, whole)

    const taken: string[] = []
    for (const { domain: whole, slot: index, name } of refused) {
      const { domain, slot } = alone(whole, index)
      const texts = domain.slots.map((_, other) => (other === slot ? textOf(name, '/d', 0) : '/benign'))
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
    for (const starts of startsOfQemu()) t.comment(starts)
    t.ok(opened > 0.8 * count, 'most were opened')
    t.ok(Math.min(refused.length, refusedExports.length, ids) > 0.02 * count, 'many were refused')
    t.ok(notFound > 0.005 * count, 'some name nothing')
  })

/**
 * What libxl's strings let through, and what the check above finds: of each kind one. VICTIM is a file, WORKER the
 * folder of the names.
 */
interface Bite {
  what: string
  domain: Domain
  /** Default: the first one. */
  slot?: number
  word: string
  relative?: boolean
  finds: RegExp
}

const { ide, ahci, tap, primary, secondary, ide47 } = domains

const another = (what: string, domain: Domain, slot: number, option: string): Bite => ({
  what: `another ${what}`,
  domain,
  slot,
  word: `g,${option}=VICTIM`,
  finds: /has opened VICTIM and has not opened/,
})

const option = (domain: Domain, text: string, finds: RegExp): Bite => ({ what: text, domain, word: `g,${text}`, finds })

const bites: Bite[] = [
  another('image', ide, 0, 'file'),
  another('CD', ide, 2, 'file'),
  another('device of a script', ide, 3, 'file'),
  another('image on SCSI', ide, 4, 'file'),
  another('image on AHCI', ahci, 0, 'file'),
  another('image, as of 2016', ide47, 0, 'file'),
  another('mirror', primary, 0, 'children.0.file.filename'),
  {
    ...another('second mirror', primary, 0, 'children.1.driver=raw,children.1.file.filename'),
    finds: /has opened VICTIM and has opened WORKER\/s0\/g and/,
  },
  another('base', secondary, 0, 'file'),
  { ...another('active disk', secondary, 1, 'file.file.filename'), finds: /: Image is not in qcow2 format/ },
  {
    ...another('hidden disk', secondary, 2, 'file.backing.file.filename'),
    finds: /backing file: Image is not in qcow2/,
  },
  option(ide, 'snapshot=on', /different: .*"format": "qcow2"/),
  option(ide, 'throttling.iops-total=1', /different: .*"iops": 1,/),
  option(ide, 'werror=ignore', /different: no "io-status": "ok"/),
  option(ide, 'detect-zeroes=on', /different: .*"detect_zeroes": "on"/),
  option(ide, 'file.locking=off', /has opened WORKER\/s0\/g and/),
  option(ide, 'readonly=on', /refused: .*Block node is read-only/),
  option(primary, 'if=none', /different: no .*ide-hd/),
  option(ide, 'b', /refused: .*does not support the option 'b'/s),
  { what: 'two commas', domain: ide, word: 'a,,b', finds: /Could not open 'WORKER\/s0\/a,b'/ },
  { what: 'a comma at the end', domain: ide, word: 'a,', finds: /Could not open 'WORKER\/s0\/a,if=ide'/ },
  {
    what: 'json:',
    domain: ide,
    word: 'json:{"file":{"filename":"VICTIM"}}',
    relative: true,
    finds: /has opened VICTIM/,
  },
  { what: 'nbd:', domain: ide, word: 'nbd:unix:/s', relative: true, finds: /Failed to connect to '\/s'/ },
  { what: 'fat:', domain: ide, word: 'fat:/x', relative: true, finds: /Could not read directory \/x/ },
  { what: 'file:', domain: ide, word: 'file:g', relative: true, finds: /Could not open 'g'/ },
  { what: 'a protocol that is none', domain: ide, word: 'a:b', relative: true, finds: /Unknown protocol 'a'/ },
  { what: "a socket's export", domain: tap, word: 's&export=x', finds: /No valid URL/ },
  { what: 'a socket in percent signs', domain: tap, word: 's%41', finds: /Failed to connect to '\S+\/sA'/ },
]

await t.test("libxl's strings do not pass", async t => {
  using trial = await realPart(t, createTrial)
  if (trial === undefined) return
  const plain = (text: string | undefined) =>
    text?.replaceAll(trial.victim, 'VICTIM').replaceAll(trial.folder(0), 'WORKER')

  for (const { what, domain: whole, slot: index = 0, word, relative = false, finds } of bites) {
    const { domain, slot } = alone(whole, index)
    const name = { words: [word.replaceAll('VICTIM', trial.victim)], relative }
    const names = domain.slots.map((_, other) => (other === slot ? name : benignName))
    t.match(plain(await trial.run(exact, domain, names)), finds, what)
    t.equal(await trial.run(drive, domain, names), undefined, `${what}: ours do`)
    if (domain.options.dialect === undefined)
      t.equal(await trial.run(blockdev, domain, names), undefined, `${what}: too`)
  }

  const fdset = { words: ['/dev/fdset/0'], relative: true }
  for (const [domain, slot] of [
    [ide, 0],
    [ide, 3],
    [primary, 0],
  ] as const) {
    t.match(plain(await trial.runMissing(exact, domain, slot, fdset)), /has taken .* opened .*VICTIM/, domain.name)
    for (const form of [drive, blockdev]) t.equal(await trial.runMissing(form, domain, slot, fdset), undefined)
  }

  for (const [option, finds] of [
    ['readonly=on', /QEMU refused: .*Block node is read-only/],
    ['snapshot=on', /different/],
    ['throttling.iops-total=1', /different: .*"iops": 1,/],
  ] as const) {
    const { domain } = alone(primary, 0)
    const [{ coloExport }] = domain.disks as [ResolvedDisk]
    const exports = [`${coloExport},${option}`]
    t.match(await trial.run(exact, domain, [benignName], { exports }), finds, option)
    for (const form of [drive, blockdev]) t.ok(isRefused(form, domain, ['/x'], exports))
  }
})

/** Neither is part of an argument: the one chooses from QEMU's names, the other is read as a number. */
await t.test('formats and vdevs are no text to QEMU', t => {
  const random = createRandom(seed)
  const odd = ['constructor', '__proto__', 'toString', 'raw ', 'RAW', 'raw,readonly=on', 'vmdk', '', 'raw\0', '\udcff']
  const objects = [null, undefined, 1, {}, [], Object.create(null), { toString: 'raw' }, Symbol('raw')]
  let reached = 0
  const safe = (
    { name, build }: Form,
    change: object,
    isBenign: (arg: string, benign: readonly string[]) => boolean,
  ) => {
    for (const domain of Object.values(domains)) {
      const [disk] = domain.disks as [ResolvedDisk]
      try {
        const { args } = build([{ ...disk, ...change }], domain.options)
        const benign = build([disk], domain.options).args
        const other = args.find(arg => !isBenign(arg, benign))
        if (other !== undefined) t.fail(`${name} ${domain.name}: ${other}`)
        reached += args.length
      } catch (error) {
        if (!(error instanceof LibxlError || error instanceof TypeError)) t.fail(String(error))
      }
    }
  }
  const hostile = Array.from({ length: 1000 }, () => hostileExport(random, '/victim'))
  const vdevs = ['hda', 'sdb', 'xvdc', 'd1p0', '768']
  for (const form of [drive, blockdev]) {
    for (const format of [...odd, ...objects, ...hostile]) safe(form, { format }, (arg, benign) => benign.includes(arg))
    for (const vdev of [...odd, ...objects, ...hostile, ...hostile.map(text => random.pick(vdevs) + text)])
      safe(form, { vdev }, arg => /^[\w./,=+:;"{}[\]-]*$/.test(arg) && !/readonly=on|victim/.test(arg))
  }
  t.ok(reached > 100, 'some are harmless')
  t.end()
})

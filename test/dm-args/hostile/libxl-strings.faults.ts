import t from 'tap'
import type { ResolvedDisk } from 'xenlight'
import { realPart } from '../../support/real-part.js'
import { alone, type Domain, domains } from './domain.js'
import { blockdev, drive, exact, isRefused } from './forms.js'
import { benignName, createTrial } from './trial.js'

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
    finds: /has opened VICTIM and has opened WORKER\/s00\/g and/,
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
  option(ide, 'file.locking=off', /has opened WORKER\/s00\/g and/),
  option(ide, 'readonly=on', /refused: .*Block node is read-only/),
  option(primary, 'if=none', /different: no .*ide-hd/),
  option(ide, 'b', /refused: .*does not support the option 'b'/s),
  { what: 'two commas', domain: ide, word: 'a,,b', finds: /Could not open 'WORKER\/s00\/a,b'/ },
  { what: 'a comma at the end', domain: ide, word: 'a,', finds: /Could not open 'WORKER\/s00\/a,if=ide'/ },
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

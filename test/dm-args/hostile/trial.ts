import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { shrink } from '../../fuzz/shrink.js'
import { type Started, startQemu } from '../../real/qemu.js'
import { alone, type Domain, named } from './domain.js'
import { fateOf, make, type Placed, prepareImages, textOf } from './files.js'
import type { Form } from './forms.js'
import type { HostileName } from './names.js'
import { difference, shapeOf } from './shape.js'

/** A folder in which QEMU is started with hostile names, and a file in it that nobody has named. */
export interface Trial extends Disposable {
  readonly victim: string
  /** Where the names of a trial are, in which `textOf` places them. One trial at a time is made in each. */
  folder(worker: number): string
  /**
   * Starts a QEMU whose disks have these names, one a slot, and looks at it. Undefined if it has exactly these files
   * open, and is otherwise as with any names; else what is wrong.
   */
  run(form: Form, domain: Domain, names: readonly HostileName[], at?: At): Promise<string | undefined>
  /** The same for a name that nothing can have: QEMU must not find anything. */
  runMissing(form: Form, domain: Domain, slot: number, name: HostileName, at?: At): Promise<string | undefined>
  /** Which name it is that is wrong, and the least of it that still is. */
  explain(form: Form, domain: Domain, names: readonly HostileName[], at?: At): Promise<string>
}

interface At {
  worker?: number
  /** The disks' own, if not given. */
  exports?: readonly (string | undefined)[]
}

interface Looked extends At {
  form: Form
  domain: Domain
  names: readonly HostileName[]
}

/** That of the first slot, so that the one could be the other's mirror. */
const victimSize = 65_536

const memory = '/dev/shm'

/** @throws MissingRealPart without QEMU, or its qemu-img */
export async function createTrial(): Promise<Trial> {
  await (await startQemu([])).qemu?.stop()
  // a short name, for those of sockets; in memory, for the many folders
  const root = realpathSync(mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'hd-')))
  const victim = `${root}/victim`
  writeFileSync(victim, '')
  truncateSync(victim, victimSize)
  prepareImages(root)
  const folder = (worker: number) => `${root}/w${worker}`

  async function look<T>(
    { form, domain, names, worker = 0, exports }: Looked,
    see: (started: Started, placed: readonly Placed[]) => Promise<T>,
  ): Promise<T | string> {
    mkdirSync(folder(worker))
    const placed: Placed[] = []
    try {
      for (const [index, name] of names.entries())
        placed.push(await make(name, domain.slots[index]!, folder(worker), index))
      const texts = placed.map(({ text }) => text)
      const { disks, options } = named(domain, texts, exports)
      let args: string[]
      try {
        args = form.build(disks, options).args
      } catch (error) {
        return `refused: ${error}`
      }
      const handsOver = texts.includes('/dev/fdset/0')
      const fdset = handsOver ? ['-add-fd', 'fd=4,set=0', '-add-fd', 'fd=5,set=0'] : []
      // QEMU probes one way and opens the other; its locks are the descriptor's, and must end with it
      const inherited = handsOver ? [openSync(victim, 'r+'), openSync(victim, 'r')] : []
      const started = await startQemu([...fdset, ...args], { cwd: folder(worker), inherited })
      try {
        return await see(started, placed)
      } finally {
        await started.qemu?.stop()
        for (const descriptor of inherited) closeSync(descriptor)
      }
    } finally {
      for (const { socket } of placed) await socket?.[Symbol.asyncDispose]()
      rmSync(folder(worker), { recursive: true })
    }
  }

  /** What QEMU tells with benign names, of each form and domain. */
  const shapes = new Map<string, string>()

  async function benignShape(form: Form, domain: Domain, worker: number): Promise<string> {
    const key = `${form.name} ${domain.name} ${domain.disks.map(({ vdev }) => vdev)}`
    const known = shapes.get(key)
    if (known !== undefined) return known
    const names = domain.slots.map(() => benignName)
    const shape = await look({ form, domain, names, worker }, async ({ qemu, refusal }) =>
      qemu === undefined ? refusal : shapeOf(qemu, ownExports(domain)),
    )
    if (!shape.startsWith('[')) throw new Error(`with benign names, too: ${shape}`)
    shapes.set(key, shape)
    return shape
  }

  const run: Trial['run'] = async (form, domain, names, at = {}) => {
    const benign = await benignShape(form, domain, at.worker ?? 0)
    return look({ form, domain, names, ...at }, async ({ qemu, refusal }, placed) => {
      if (qemu === undefined) return `QEMU refused: ${refusal}`
      const shape = await shapeOf(qemu, at.exports ?? ownExports(domain))
      const found = [...wrongFiles(qemu.openFiles(root), placed), ...wrongSockets(placed)]
      if (shape !== benign) found.push(`is different: ${difference(benign, shape)}`)
      return found.length === 0 ? undefined : `QEMU ${found.join(' and ')}`
    })
  }

  const runMissing: Trial['runMissing'] = async (form, whole, index, name, at = {}) => {
    const { domain, slot } = alone(whole, index)
    const names = domain.slots.map((_, other) => (other === slot ? name : benignName))
    return look({ form, domain, names, ...at }, async ({ qemu, refusal }, placed) => {
      if (qemu !== undefined) return `QEMU has taken a name that nothing has, and opened ${qemu.openFiles(root)}`
      return saysMissing(refusal, placed[slot]!.text) ? undefined : `QEMU refused: ${refusal}`
    })
  }

  const explain: Trial['explain'] = async (form, domain, names, at) => {
    for (const [index, name] of names.entries()) {
      const slot = domain.slots[index]!
      const place = folder(at?.worker ?? 0)
      const violation = async (words: readonly string[]) =>
        fateOf(textOf({ ...name, words }, place, index), slot.field, place) !== 'opened'
          ? undefined
          : run(
              form,
              domain,
              domain.slots.map((_, other) => (other === index ? { ...name, words } : benignName)),
              at,
            )
      if ((await violation(name.words)) === undefined) continue
      const words = await shrink(name.words, async words => words.length > 0 && (await violation(words)) !== undefined)
      const text = textOf({ ...name, words }, place, index)
      const { disk, field } = slot
      return `${domain.disks[disk]!.vdev}'s ${field} ${JSON.stringify(text)}: ${await violation(words)}`
    }
    return 'no name alone'
  }

  return {
    victim,
    folder,
    run,
    runMissing,
    explain,
    [Symbol.dispose]() {
      rmSync(root, { recursive: true })
    },
  }
}

export const benignName: HostileName = { words: ['disk.img'], relative: false }

function wrongFiles(files: readonly string[], placed: readonly Placed[]): string[] {
  const expected = placed.flatMap(({ file }) => file ?? [])
  const other = files.filter(file => !expected.includes(file))
  const unopened = expected.filter(file => !files.includes(file))
  return [...other.map(file => `has opened ${file}`), ...unopened.map(file => `has not opened ${file}`)]
}

/** Each is asked once, for one export. */
const wrongSockets = (placed: readonly Placed[]): string[] =>
  placed.flatMap(({ text, socket, asks }) =>
    socket === undefined || (socket.asked.length === 1 && socket.asked[0] === asks)
      ? []
      : [`has asked ${text} for ${JSON.stringify(socket.asked)}`],
  )

const ownExports = ({ disks }: Domain) => disks.map(({ coloExport }) => coloExport)

/** Whether QEMU looked for this very name and found nothing, or no file. */
function saysMissing(refusal: string, text: string): boolean {
  if (text === '')
    return /must be specified for "file"|requires a file name|No valid URL|Failed to connect to ''/.test(refusal)
  const sentences = ["Could not open '", "'file' driver requires '", "Failed to connect to '", "UNIX socket path '"]
  const names = [text, `./${text}`, text.replace(/^\/dev\//, '/dev/./')]
  return sentences.some(sentence => names.some(name => refusal.includes(`${sentence}${name}'`)))
}

import type { Test } from 'tap'
import { type QemuBinary, startQemu } from '../real/qemu.js'
import { expectedOf } from './real-qemu-expected.js'
import type { Form } from './real-qemu-forms.js'
import type { Guest } from './real-qemu-guest.js'
import { nodesOf, shownBlocks } from './real-qemu-shown.js'
import { type Fault, faults } from './real-qemu-slots.js'

/** What QEMU itself finds out. */
const sharedDevice: Fault = 'two disks of a stub domain on one device'

/** Drivers that Debian left out. */
const lacking: Record<QemuBinary, readonly string[]> = {
  'qemu-system-x86_64': [],
  'xen-qemu-system-i386': ['replication', 'qcow', 'qed'],
}

/**
 * Starts a QEMU with a guest's disks and compares what it shows with what the records ask for. Where none starts, by the
 * records, that is what has to happen, for the reason that they tell.
 *
 * @param directory below it are all images
 * @returns in words, what became of it
 */
export async function check(t: Test, guest: Guest, form: Form, binary: QemuBinary, directory: string): Promise<string> {
  const { name, disks, options, dev } = guest
  const expected = expectedOf(disks, options)
  if ('unprotected' in expected) {
    const message = new RegExp(`^disk ${expected.unprotected}: `)
    t.throws(() => form.build(guest), { name: 'LibxlError', rc: -6, message }, name)
    return 'refused: COLO would not replicate it'
  }
  const fault = 'fault' in expected ? expected.fault : undefined
  const letterless = 'shown' in expected && expected.letterless
  const misplaced = fault ? fault !== sharedDevice && fault : letterless && 'a vdev without a letter'
  if (misplaced && !form.lenient) {
    t.throws(() => form.build(guest), { name: 'LibxlError', rc: -6, message: /disk .* place/ }, name)
    return `refused: ${misplaced}`
  }

  const { args, warnings } = form.build(guest)
  const foreseen = warnings.some(warning => warning.startsWith('QEMU will refuse disk '))
  t.equal(foreseen, fault !== undefined && fault !== sharedDevice, `${name}: warnings`)
  const { qemu, refusal } = await startQemu(args, { binary, dev })
  const nodes = 'shown' in expected ? nodesOf(expected.shown) : []
  const unknown = lacking[binary].filter(driver => fault || nodes.some(node => node.driver === driver))
  if (qemu === undefined) {
    const lacks = new RegExp(`(?:Unknown driver|'driver' does not accept value) '(?:${unknown.join('|')})'`)
    if (unknown.length > 0 && lacks.test(refusal)) return 'refused by QEMU: a driver it was built without'
    t.match(refusal, fault ? faults[fault] : /^starts$/, name)
    return `refused by QEMU: ${fault}`
  }
  await using running = qemu
  if (!('shown' in expected)) {
    t.fail(`${name}: started with ${fault}`)
    return 'started'
  }
  const { shown } = expected
  t.strictSame(await shownBlocks(running, Object.keys(shown.named)), shown, name)
  const files = nodes.flatMap(({ file }) => file ?? []).filter(file => file.startsWith(directory))
  t.strictSame(running.openFiles(directory), [...new Set(files)].sort(), `${name}: open files`)
  t.equal(running.printed(), '', `${name}: no complaint`)
  return 'shown as asked for'
}

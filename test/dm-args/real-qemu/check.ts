import type { Test } from 'tap'
import { type QemuBinary, startQemu } from '../../real/qemu.js'
import { expectedOf } from './expected.js'
import type { Form } from './forms.js'
import type { Guest } from './guest.js'
import { nodesOf, shownBlocks } from './shown.js'
import { type Fault, faults } from './slots.js'

/** Of which we warn: it is a file system that has the lock. */
const sharedDevice: Fault = 'two disks of a stub domain on one device'

/** Drivers that Debian left out. */
const lacking: Record<QemuBinary, readonly string[]> = {
  'qemu-system-x86_64': [],
  'xen-qemu-system-i386': ['replication', 'qcow', 'qed'],
}

/** What becomes of a guest. Where none starts, it is what libxl should not have let pass. */
export type Outcome =
  | Fault
  | 'shown as asked for'
  | 'COLO that QEMU would not replicate'
  | 'a driver that QEMU was built without'
  | 'refused'
  | 'started all the same'

/** A guest may have another fault as well. */
function isRefused(guest: Guest, form: Form): boolean {
  try {
    form.build(guest)
    return false
  } catch {
    return true
  }
}

/**
 * Starts a QEMU with a guest's disks and compares what it shows with what the records ask for. Where none starts, by the
 * records, that is what has to happen, for the reason that they tell.
 *
 * @param directory below it are all images
 */
export async function check(
  t: Test,
  guest: Guest,
  form: Form,
  binary: QemuBinary,
  directory: string,
): Promise<Outcome> {
  const { name, disks, options, dev } = guest
  const expected = expectedOf(disks, options)
  if ('unprotected' in expected) {
    const message = new RegExp(`^disk ${expected.unprotected}: `)
    t.throws(() => form.build(guest), { name: 'LibxlError', rc: -6, message }, name)
    return 'COLO that QEMU would not replicate'
  }
  const fault = 'fault' in expected ? expected.fault : undefined
  if (fault && !form.lenient && (fault !== sharedDevice || isRefused(guest, form))) {
    t.throws(() => form.build(guest), { name: 'LibxlError', rc: -6, message: /disk .* place/ }, name)
    return fault
  }

  const { args, warnings } = form.build(guest)
  const foreseen = warnings.some(warning => warning.startsWith('QEMU will refuse disk '))
  t.equal(foreseen, fault !== undefined, `${name}: warnings`)
  const { qemu, refusal } = await startQemu(args, { binary, dev })
  const nodes = 'shown' in expected ? nodesOf(expected.shown) : []
  const unknown = lacking[binary].filter(driver => fault || nodes.some(node => node.driver === driver))
  const unknownDriver = new RegExp(`(?:Unknown driver|'driver' does not accept value) '(?:${unknown.join('|')})'`)
  if (qemu === undefined) {
    if (unknown.length > 0 && unknownDriver.test(refusal)) return fault ?? 'a driver that QEMU was built without'
    t.match(refusal, fault ? faults[fault] : /^it starts$/, name)
    return fault ?? 'refused'
  }
  await using running = qemu
  if (!('shown' in expected)) {
    t.fail(`${name}: started with ${fault}`)
    return 'started all the same'
  }
  const { shown } = expected
  t.strictSame(await shownBlocks(running, Object.keys(shown.named)), shown, name)
  const files = nodes.flatMap(({ file }) => file ?? []).filter(file => file.startsWith(directory))
  t.strictSame(running.openFiles(directory), [...new Set(files)].sort(), `${name}: open files`)
  t.equal(running.printed(), '', `${name}: no complaint`)
  return 'shown as asked for'
}

import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { type Qemu, startQemu, startsOfQemu } from '../../real/qemu.js'
import { type DiskImages, diskImages } from '../../support/disk-images.js'
import { realPart } from '../../support/real-part.js'
import { type Form, forms } from './forms.js'
import { checkpoint, guestIo, type Pair, startReplication } from './replicated-pair.js'

/** The machine's other tests have other loopback addresses. */
const host = [127, randomInt(1, 255), randomInt(256), randomInt(1, 255)].join('.')

function coloDisk(vdev: string, images: DiskImages): ResolvedDisk {
  const spec = [
    `vdev=${vdev},colo,colo-host=${host},colo-port=9000,colo-export=colo-${vdev}`,
    `active-disk=${images.image('active.qcow2', 'qcow2')},hidden-disk=${images.image('hidden.qcow2', 'qcow2')}`,
    `target=${images.image('a,b.img', 'raw')}`,
  ]
  const noDomain = () => undefined
  return resolveDisk(parseDisk(spec.join(',')), { domid: 11, domainType: 'hvm', target: 'file', domidOf: noDomain })
}

/** A QEMU with the disks; it is gone when the test is. */
async function withDisks(t: Test, form: Form, disks: ResolvedDisk[], coloRestore: boolean): Promise<Qemu> {
  const { args, warnings } = form.build({ disks, options: { domainType: 'hvm', coloRestore } })
  t.strictSame(warnings, [])
  const { qemu, refusal } = await startQemu(args)
  if (qemu === undefined) throw new Error(refusal)
  t.teardown(qemu.stop)
  return qemu
}

/** What the guest sees, in the order of the disks. */
async function devicesOf(qemu: Qemu): Promise<string[]> {
  const drives = await qemu.qmp<{ qdev?: string }[]>('query-block')
  return drives.flatMap(({ qdev }) => qdev ?? [])
}

/** Ends a QEMU and tells how often its disks gave what they were expected to, and all that they did not. */
async function resultsOf(qemu: Qemu): Promise<{ reads: number; writes: number; failures: string[] }> {
  await qemu.quit()
  const lines = qemu.printed().split('\n')
  return {
    reads: lines.filter(line => line.startsWith('read 65536/65536 ')).length,
    writes: lines.filter(line => line.startsWith('wrote 65536/65536 ')).length,
    failures: lines.filter(line => /fail|error/i.test(line)),
  }
}

const sets = [['hda'], ['sda'], ['hda', 'hdb'], ['hdc', 'sdb'], ['sda', 'sdg']]

for (const [name, form] of Object.entries(forms))
  for (const vdevs of sets)
    t.test(`a pair made with ${name} replicates ${vdevs.join(' and ')}`, async t => {
      const images = diskImages()
      t.teardown(() => images[Symbol.dispose]())
      const disksOf = () => vdevs.map(vdev => coloDisk(vdev, images))
      const [here, there] = [disksOf(), disksOf()]
      const primary = await realPart(t, () => withDisks(t, form, here, false))
      if (primary === undefined) return
      const pair = { primary, secondary: await withDisks(t, form, there, true) }
      await startReplication(pair, here)

      const devices = { primary: await devicesOf(primary), secondary: await devicesOf(pair.secondary) }
      const io = async (side: keyof Pair, command: (disk: number) => string) => {
        for (const [index] of vdevs.entries()) await guestIo(pair[side], devices[side][index]!, command(index))
      }
      await io('primary', disk => `write -P ${10 + disk} 0 64k`)
      await io('secondary', () => 'read -P 0 0 64k')
      await io('secondary', disk => `write -P ${20 + disk} 64k 64k`)
      await io('secondary', disk => `read -P ${20 + disk} 64k 64k`)
      await checkpoint(pair)
      await io('secondary', disk => `read -P ${10 + disk} 0 64k`)
      await io('secondary', () => 'read -P 0 64k 64k')
      await io('primary', disk => `read -P ${10 + disk} 0 64k`)

      t.match(await primary.qmp('query-xen-replication-status'), { error: false })
      t.strictSame(await resultsOf(primary), { reads: vdevs.length, writes: vdevs.length, failures: [] })
      t.strictSame(await resultsOf(pair.secondary), { reads: 4 * vdevs.length, writes: vdevs.length, failures: [] })
      for (const side of [here, there])
        for (const [index, { pdevPath }] of side.entries()) {
          const filled = Buffer.alloc(2 ** 20)
          filled.fill(10 + index, 0, 2 ** 16)
          t.ok(readFileSync(pdevPath!).equals(filled), `${pdevPath} has what the primary wrote, and nothing else`)
        }
    })

t.test('each of them was a real start', t => {
  for (const count of startsOfQemu()) t.comment(count)
  t.end()
})

import t from 'tap'
import { LibxlError, type ResolvedDisk } from 'xenlight'
import { createRandom } from '../../support/random.js'
import { domains } from './domain.js'
import { blockdev, drive, type Form } from './forms.js'
import { hostileExport } from './names.js'
import { hostileSeed as seed } from './seed.js'

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
      safe(form, { vdev }, arg => /^[\w./,=+:;?"{}[\]-]*$/.test(arg) && !/readonly=on|victim/.test(arg))
  }
  t.ok(reached > 100, 'some are harmless')
  t.end()
})

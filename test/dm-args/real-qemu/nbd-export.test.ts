import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { MissingRealPart, realPart } from '../../support/real-part.js'
import { disk, forms, guestWrites, isWritten, openLab } from '../departures.js'

const openServedLab = async () => {
  if (spawnSync('qemu-nbd', ['--version']).error) throw new MissingRealPart('qemu-nbd', 'qemu-utils')
  return openLab()
}

await t.test('the guest has the export of a real server, by any name', async t => {
  using lab = await realPart(t, openServedLab)
  if (lab === undefined) return
  let count = 0
  for (const name of [
    '',
    'x',
    'a,b',
    'a,,file=/x',
    '%2C',
    'é "\'\\',
    'a?b#c&d;e=f',
    'json:{"driver":"null-co"}',
    'a//b',
  ])
    for (const [form, build] of Object.entries(forms))
      for (const [vdev, drive] of [
        ['hda', form === 'drives' ? 'ide0-hd0' : '-d ide-768'],
        ['sda', form === 'drives' ? 'scsi0-hd0' : '-d scsi-2048'],
      ] as const) {
        const image = lab.file(`image-${count}`)
        const socket = join(lab.directory, `s,${count++} %&`)
        const pidFile = join(lab.directory, `pid-${count}`)
        const args = ['--fork', '--pid-file', pidFile, '-f', 'raw', '-t', '-x', name, '-k', socket, image]
        const { status, stderr } = spawnSync('qemu-nbd', args, {
          encoding: 'utf8',
          stdio: ['ignore', 'ignore', 'pipe'],
        })
        t.equal(status, 0, stderr)
        const pid = Number(readFileSync(pidFile, 'utf8'))
        try {
          const target = `nbd+unix:///${encodeURIComponent(name)}?socket=${encodeURIComponent(socket)}`
          const built = build([disk(`vdev=${vdev},target=${target}`)])
          await lab.qemu(built.args, async qemu => guestWrites(qemu, drive))
          t.ok(isWritten(image), `${form} ${vdev} ${JSON.stringify(name)}`)
        } finally {
          process.kill(pid)
        }
      }
})

import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { prepareOverlays } from 'xenlight/colo'
import { realPart } from '../support/real-part.js'
import { create, mib, type Place, place, refusal } from './overlay-place.js'

/** What stands in the way, each of the name of a hidden overlay. */
const obstacles: [what: string, make: (place: Place) => void, message: RegExp][] = [
  ['another size', ({ hidden }) => create(hidden, 2 * mib), /it is of 2097152 bytes, and the disk of 1048576/],
  [
    'data',
    ({ hidden }) => {
      create(hidden, mib)
      execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 1 512k 64k', hidden])
    },
    /it holds data/,
  ],
  [
    'zeros, which hide what is below them',
    ({ hidden }) => {
      create(hidden, mib)
      execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -z 512k 64k', hidden])
    },
    /it holds data/,
  ],
  [
    'a backing file',
    ({ hidden, folder }) => {
      create(join(folder, 'base'), mib)
      create(hidden, mib, '-F', 'qcow2', '-b', join(folder, 'base'))
    },
    /it has a backing file/,
  ],
  [
    'another format',
    ({ hidden }) => {
      writeFileSync(hidden, '')
      truncateSync(hidden, mib)
    },
    /not in qcow2 format/,
  ],
  ['an empty file', ({ hidden }) => writeFileSync(hidden, ''), /it is empty and no qcow2 image/],
  ['a directory', ({ hidden }) => mkdirSync(hidden), /no regular file/],
  [
    'a link to a fitting overlay',
    ({ hidden, folder }) => {
      create(join(folder, 'other'), mib)
      symlinkSync(join(folder, 'other'), hidden)
    },
    /no regular file/,
  ],
  ['a link to nowhere', ({ hidden, folder }) => symlinkSync(join(folder, 'other'), hidden), /no regular file/],
  ['a pipe', ({ hidden }) => execFileSync('mkfifo', [hidden]), /no regular file/],
]

/** All that is below a folder, with what it is and holds. */
const contents = (folder: string) =>
  readdirSync(folder)
    .sort()
    .map(name => {
      const stats = lstatSync(join(folder, name))
      return [name, stats.mode, stats.isFile() ? readFileSync(join(folder, name)) : '']
    })

for (const [what, make, message] of obstacles)
  t.test(`refused: ${what}`, async t => {
    const made = await realPart(t, () => place(t))
    if (made === undefined) return
    const { folder, active, hidden } = made
    make(made)
    const before = contents(folder)
    const first = { active: join(folder, 'a1'), hidden: join(folder, 'h1'), size: mib }
    await t.rejects(prepareOverlays([first, { active, hidden, size: mib }]), refusal(message))
    t.strictSame(contents(folder), before, 'nothing is made, and nothing changed')
  })

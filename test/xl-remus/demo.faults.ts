import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { needs } from '../nbd/programs.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'

const demo = join(projectRoot, 'scripts/demo-remus.sh')
const run = (env: NodeJS.ProcessEnv) =>
  promisify(execFile)(demo, [], { env, timeout: 240_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    error => error as { code: number; stdout: string; stderr: string },
  )

t.test('the demonstration: a crash, and the data is there', async t => {
  const isHere = await realPart(t, () => {
    needs('qemu-system-x86_64')
    return true
  })
  if (!isHere) return
  const { code, stdout, stderr } = await run(process.env)
  t.equal(code, 0, stderr)
  t.match(stdout, /40 epochs are committed\n/)
  t.match(stdout, /\nanna\.img: the guest had made \d+ writes\n/)
  t.match(stdout, /\nberta\.img: all that the guest wrote, up to its write \d+\n/)
  t.match(stdout, /\nanna\.img and berta\.img are equal\n$/)
  const [, written] = /the guest had made (\d+)/.exec(stdout) ?? []
  const [, kept] = /berta\.img: all that the guest wrote, up to its write (\d+)/.exec(stdout) ?? []
  t.ok(Number(kept) <= Number(written), `${kept} of ${written} writes`)
})

t.test('without QEMU it says so, and fails', async t => {
  const folder = t.testdir({})
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const program of ['bash', 'dirname']) symlinkSync(`/usr/bin/${program}`, join(bin, program))
  symlinkSync(process.execPath, join(bin, 'node'))
  t.match(await run({ PATH: bin }), {
    code: 1,
    stdout: '',
    stderr: 'demo:remus needs qemu-system-x86_64: install qemu-system-x86\n',
  })
})

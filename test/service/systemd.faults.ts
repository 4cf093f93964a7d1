import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { needs } from '../nbd/programs.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'

t.test('the units under a real systemd', { timeout: 240_000 }, async t => {
  const isHere = await realPart(t, () => needs('systemd-analyze', 'qemu-img') ?? true)
  if (isHere === undefined) return
  if (process.geteuid?.() !== 0) {
    t.plan(0, 'it needs root, for namespaces')
    return
  }
  const out = mkdtempSync(join(tmpdir(), 'xenlight-systemd-'))
  t.teardown(() => rmSync(out, { recursive: true, force: true }))
  writeFileSync(join(out, 'node'), process.execPath)
  writeFileSync(join(out, 'log'), '')
  const here = 'test/service/systemd'
  const child = spawn('bash', [join(projectRoot, here, 'run.sh'), out, projectRoot, `${here}/services.sh`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    said += text
  })
  await new Promise(resolve => child.once('close', resolve))
  const log = readFileSync(join(out, 'log'), 'utf8')
  t.match(log, /^ended: success$/m, `${said}${log}`)
  const lines = [...log.matchAll(/^(not )?ok (.*)$/gm)]
  t.ok(lines.length > 30, `${lines.length} things`)
  for (const [, not, what] of lines) t.equal(not, undefined, what!)
  t.comment(log)
})

import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { exitStatuses } from '#xenlight/xl-remus/exit-status.js'
import { options } from '#xenlight/xl-remus/option-table.js'
import { verbNames } from '#xenlight/xl-remus/verbs.js'
import { needs } from '../nbd/programs.js'
import { eventually } from '../protocol-d/eventually.js'
import { testDocumentation } from '../support/documented-command.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'
import type { Staying } from '../support/staying.js'
import { machine } from './real-nodes.js'
import { runWith } from './run-with.js'

const page = readFileSync(join(projectRoot, 'docs/xl-remus.md'), 'utf8')

testDocumentation({
  name: 'xl-remus',
  help: async () => (await runWith(['--help'])).stdout,
  options,
  verbs: verbNames,
  exitStatuses,
  widest: 120,
})

interface Step {
  who: string
  command: string
  /** What it writes, at its end. */
  says: string
}

/** The session of the page: what is typed where, and what comes of it. */
const session: Step[] = []
for (const [, text] of page.matchAll(/```console\n([\s\S]*?)```/g))
  for (const line of text!.trimEnd().split('\n')) {
    const [, who, command] = /^(anna|berta)([$#] .*)$/.exec(line) ?? []
    if (who !== undefined) session.push({ who, command: command!, says: '' })
    else session.at(-1)!.says += `${line}\n`
  }

t.test('the session of the page, on this machine', async t => {
  const isHere = await realPart(t, () => {
    needs('qemu-io')
    return true
  })
  if (!isHere) return
  const here = await machine(t)
  const serving = new Map<string, Staying>()
  for (const name of ['anna', 'berta']) {
    mkdirSync(join(here.folder, name))
    writeFileSync(join(here.folder, `${name}/guest.pair`), 'a name that nobody guesses\n')
  }
  /** The paths and the address of that machine, as they are here. */
  const put = (text: string, who: string) =>
    text
      .replace(/\/(?:srv|run|etc)\//g, `${join(here.folder, who)}/`)
      .replaceAll('10.0.0.1:7800', `127.0.0.1:${here.port}`)
  const bin = join(here.folder, 'xl-remus')
  writeFileSync(bin, `#!/bin/sh\nexec '${process.execPath}' '${join(projectRoot, 'dist/bin/xl-remus.cjs')}' "$@"\n`, {
    mode: 0o700,
  })
  const { PATH } = process.env
  const env = { PATH: `${here.folder}:${PATH}` }
  t.ok(session.length > 15)
  for (const { who, command, says } of session) {
    t.comment(`${who}${command}`)
    if (command === '# kill -9') {
      serving.get(who)!.child.kill('SIGKILL')
      await serving.get(who)!.ended
      continue
    }
    const typed = put(command.slice(2), who)
    const [, args] = /^xl-remus (serve .*) &$/.exec(typed) ?? []
    if (args !== undefined) {
      const node = here.stay(...args.split(' '))
      serving.set(who, node)
      await node.until(/^secondary/)
      continue
    }
    let said = ''
    await eventually(
      `${typed} says ${says}`,
      async () => {
        said = (await promisify(execFile)('bash', ['-c', typed], { env })).stdout
        // what is only read may be so a little later
        return said.endsWith(put(says, who)) || !typed.includes(' status ')
      },
      () => said,
    )
    if (typed.startsWith('qemu-io')) t.notMatch(said, /failed/i)
    else t.equal(says === '' ? said : said.slice(-put(says, who).length), put(says, who), typed)
  }
})

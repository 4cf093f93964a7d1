import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { options } from '#xenlight/cli/option-table.js'
import { projectRoot } from '../support/project-root.js'
import { runWith } from './fake-io.js'

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8')

t.test('help, manual page and documentation know every option', async t => {
  const help = runWith(['--help']).stdout
  const manual = read('man/xl-disk-parse.1')
  const page = read('docs/command.md')
  for (const { name, short, values = [] } of options) {
    t.match(help, `--${name}`)
    t.match(manual, new RegExp(`^\\.It .*Fl -${name}\\b`, 'm'))
    t.match(page, `--${name}`)
    if (short) {
      t.match(help, `-${short}, --${name}`)
      t.match(manual, new RegExp(`^\\.It Fl ${short} `, 'm'))
      t.match(page, `\`-${short}\``)
    }
    for (const value of values) t.match(manual, new RegExp(`Cm .*\\b${value}\\b`))
  }
})

t.test('the help fits a terminal', async t => {
  const long = runWith(['--help'])
    .stdout.split('\n')
    .filter(line => line.length > 100)
  t.strictSame(long, [])
})

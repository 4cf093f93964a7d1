import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { exitStatuses } from '#xenlight/xl-colo/exit-status.js'
import { options } from '#xenlight/xl-colo/option-table.js'
import { verbNames } from '#xenlight/xl-colo/verbs.js'
import { projectRoot } from '../support/project-root.js'
import { runWith } from './fake-io.js'

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8')
const manual = read('man/xl-colo.1')
const page = read('docs/xl-colo.md')

t.test('help, manual page and documentation know every option', async t => {
  const help = (await runWith(['--help'])).stdout
  for (const { name, short, values = [] } of options) {
    t.match(help, `--${name}`)
    t.match(manual, new RegExp(`^\\.It .*Fl -${name}\\b`, 'm'))
    t.match(page, `--${name}`)
    if (short) {
      t.match(help, `-${short}, --${name}`)
      t.match(manual, new RegExp(`^\\.It Fl ${short} `, 'm'))
    }
    for (const value of values) t.match(manual, new RegExp(`Cm .*\\b${value}\\b`))
  }
  const documented = [...manual.matchAll(/^\.It .*?Fl -([a-z-]+)/gm)].map(([, name]) => name)
  t.strictSame(
    documented,
    options.map(({ name }) => name),
    'in the same order, and no other',
  )
})

t.test('they know every verb', async t => {
  const help = (await runWith(['--help'])).stdout
  for (const verb of verbNames) {
    t.match(help, new RegExp(`^  ${verb}\\b`, 'm'))
    t.match(manual, new RegExp(`^\\.It Cm ${verb}$`, 'm'))
    t.match(page, `xl-colo ${verb}`)
  }
})

t.test('they know every exit status, and what it says', async t => {
  const [, section = ''] = manual.split('.Sh EXIT STATUS')
  const [statuses = ''] = section.split('.Sh ')
  const told = [...statuses.matchAll(/^\.It (\d+)\n([\s\S]*?)(?=^\.(?:It|El))/gm)].map(([, status, text]) => [
    Number(status),
    plainText(text!),
  ])
  t.strictSame(told, Object.values(exitStatuses))
  const rows = [...page.matchAll(/^\| (\d+) \| (.*) \|$/gm)].map(([, status, text]) => [
    Number(status),
    text!.replaceAll('`', ''),
  ])
  t.strictSame(rows, Object.values(exitStatuses))
})

/** What mdoc makes of its requests. */
const plainText = (text: string): string =>
  text
    .trim()
    .replace(/^\.Fl -/gm, '--')
    .replace(/^\.Cm /gm, '')
    .replace(/ ([:,.])/g, '$1')
    .replaceAll('\n', ' ')

t.test('the help fits a terminal', async t => {
  const long = (await runWith(['--help'])).stdout.split('\n').filter(line => line.length > 110)
  t.strictSame(long, [])
})

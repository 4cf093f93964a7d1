import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Option } from '#xenlight/command-line/option.js'
import { projectRoot } from './project-root.js'

/** A command that is documented in its help, its manual page and a page of docs/. */
export interface DocumentedCommand {
  name: string
  /** The page's name, where it is another one; it has the command's exit statuses below a heading of their own then. */
  page?: string
  help(): Promise<string>
  options: readonly Option[]
  verbs: readonly string[]
  exitStatuses: Readonly<Record<string, readonly [status: number, meaning: string]>>
  /** Of the help, in characters. */
  widest: number
}

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8')

/** Tests that they all know the same. */
export function testDocumentation(command: DocumentedCommand) {
  const { name, help: readHelp, options, verbs, exitStatuses, widest } = command
  const manual = read(`man/${name}.1`)
  const page = read(`docs/${command.page ?? name}.md`)
  const ofExit = command.page === undefined ? page : page.split(`\n## Exit status of ${name}\n`)[1]!.split('\n## ')[0]!

  t.test('help, manual page and documentation know every option', async t => {
    const help = await readHelp()
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
    const documented = [...manual.matchAll(/^\.It .*?Fl -([a-z0-9-]+)/gm)].map(([, name]) => name)
    t.strictSame(
      documented,
      options.map(({ name }) => name),
      'in the same order, and no other',
    )
  })

  t.test('they know every verb', async t => {
    const help = await readHelp()
    for (const verb of verbs) {
      t.match(help, new RegExp(`^  ${verb}\\b`, 'm'))
      t.match(manual, new RegExp(`^\\.It Cm ${verb}$`, 'm'))
      t.match(page, `${name} ${verb}`)
    }
  })

  t.test('they know every exit status, and what it says', async t => {
    const [, section = ''] = manual.split('.Sh EXIT STATUS')
    const [statuses = ''] = section.split('.Sh ')
    const said = [...statuses.matchAll(/^\.It (\d+)\n([\s\S]*?)(?=^\.(?:It|El))/gm)].map(([, status, text]) => [
      Number(status),
      plainText(text!),
    ])
    t.strictSame(said, Object.values(exitStatuses))
    const rows = [...ofExit.matchAll(/^\| (\d+) \| (.*) \|$/gm)].map(([, status, text]) => [
      Number(status),
      text!.replaceAll('`', ''),
    ])
    t.strictSame(rows, Object.values(exitStatuses))
  })

  t.test('the help fits a terminal', async t => {
    const long = (await readHelp()).split('\n').filter(line => line.length > widest)
    t.strictSame(long, [])
  })
}

/** What mdoc makes of its requests. */
const plainText = (text: string): string =>
  text
    .trim()
    .replace(/^\.Fl -/gm, '--')
    .replace(/^\.Cm /gm, '')
    .replace(/ ([:,.])/g, '$1')
    .replaceAll('\n', ' ')

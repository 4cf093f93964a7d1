import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { projectRoot } from '../support/project-root.js'
import { tableFaults } from './libxl-table/table-faults.js'

t.test('docs/colo-libxl.md has a row for each fault, in their order', async t => {
  const text = readFileSync(join(projectRoot, 'docs/colo-libxl.md'), 'utf8')
  const table = text.slice(text.indexOf("| fault | libxl's sequence | ours |"))
  const rows = [...table.matchAll(/^\| (.+?) \| \d+ of \d+.* \| \d+ of \d+.* \|$/gm)].map(([, name]) => name)
  t.strictSame(
    rows,
    tableFaults.map(({ name }) => name),
  )
})

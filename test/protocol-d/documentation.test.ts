import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import * as protocolD from 'xenlight/protocol-d'
import { projectRoot } from '../support/project-root.js'
import { eventually } from './eventually.js'

const text = readFileSync(join(projectRoot, 'docs/protocol-d.md'), 'utf8')

t.test('the example of docs/protocol-d.md runs: the flow of DRBD’s protocol D', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'protocol-d-docs-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const example = /```js\nimport (.*) from 'xenlight\/protocol-d'\n([\s\S]*?)```/.exec(text)!
  const body = `return (async () => { const ${example[1]} = protocolD; ${example[2]}; return text })()`
  const until = (isSo: () => boolean) => eventually('what the example waits for is so', isSo)
  const open = async (options: protocolD.ReplicatedDiskOptions) => {
    const disk = await protocolD.ReplicatedDisk.open(options)
    // where the example fails, nothing of it keeps the process
    t.teardown(() => disk.close())
    return disk
  }
  const watched = { ...protocolD, ReplicatedDisk: { open } }
  t.equal(await new Function('protocolD', 'folder', 'until', body)(watched, folder, until), 'kept')
})

t.test('the files that docs/protocol-d.md names are there', t => {
  const files = new Set(
    [...text.matchAll(/`((?:machine|keep|stream)\/[a-z-]+\.ts|[a-z-]+\.ts)`/g)].map(([, file]) => file!),
  )
  t.ok(files.size > 8)
  for (const file of files) t.ok(existsSync(join(projectRoot, 'src/protocol-d', file)), file)
  t.end()
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import * as nbd from 'xenlight/nbd'
import { projectRoot } from '../support/project-root.js'
import { socketFolder } from './socket-folder.js'

t.test('the example of docs/nbd.md runs', async t => {
  const text = readFileSync(join(projectRoot, 'docs/nbd.md'), 'utf8')
  const example = /```js\nimport (.*) from 'xenlight\/nbd'\n([\s\S]*?)```/.exec(text)!
  const body = `return (async () => { const ${example[1]} = nbd; ${example[2]}; return text })()`
  t.equal(await new Function('nbd', 'socket', body)(nbd, join(socketFolder(t), 's')), 'hello')
})

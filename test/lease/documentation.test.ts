import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import * as lease from 'xenlight/lease'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'
import { startEtcd } from './node/etcd-daemons.js'

const page = readFileSync(join(projectRoot, 'docs/lease.md'), 'utf8')

t.test('the example of docs/lease.md does what it says', t =>
  realPart(t, async () => {
    const cluster = await startEtcd(t)
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? []
    const body = code.replace(/^import (.*) from '(.*)'$/m, 'const $1 = modules')
    const modules = { ...lease, openEtcd: () => lease.openEtcd(cluster.options) }
    const written: number[] = []
    const more = () => written.length < 3
    const write = async (epoch: number) => written.push(epoch)
    await new Function('modules', 'more', 'write', `return (async () => { ${body} })()`)(modules, more, write)
    t.strictSame(written, [1, 1, 1])
    using etcd = lease.openEtcd(cluster.options)
    t.match(await etcd.catalogue.get('web', 'place'), { value: { host: 'anna', state: 'primary' }, epoch: 1 })
    t.match(await etcd.leases.look('web'), { holder: undefined, epoch: 1 })
  }),
)

t.test('the margins are those of the table', async t => {
  const [, end] = /^\| `isHeld\(\)` is false .*\| ([\d.]+) s \|$/m.exec(page) ?? []
  t.equal(10_000 - lease.leaseMargin(10_000), Number(end) * 1000)
})

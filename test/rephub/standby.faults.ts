import { existsSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connectNbd } from 'xenlight/nbd'
import type { HubStatus } from 'xenlight/replication'
import { type EtcdCluster, startEtcd } from '../lease/node/etcd-daemons.js'
import { eventually } from '../protocol-d/eventually.js'
import { realPart } from '../support/real-part.js'
import type { Ended, Staying } from '../support/staying.js'
import { hosts } from './real-hosts.js'

const mebibyte = 1024 * 1024
const standing = /^hub hub: standing by for the lease copies, held by .*\n/

/** Hubs over one folder, each with sockets of its own. */
function standbys(t: Test, cluster: EtcdCluster) {
  const here = hosts(t)
  const at = (name: string) => join(here.folder, name)
  const etcd = ['--etcd', cluster.options.endpoints.join(',')]
  const serve = (hub: string, ...options: string[]): Staying => {
    writeFileSync(at('hub.yaml'), `name: hub\ndata: ${at('copies')}\n`)
    const where = ['--listen', at(`${hub}.agents`), '--nbd', at(`${hub}.nbd`), '--control', at(`${hub}.ctl`)]
    const lease = ['--lease', 'copies', ...etcd, '--lease-ttl', '4s']
    return here.stay('rephub', 'serve', '--config', at('hub.yaml'), ...where, ...lease, ...options)
  }
  const ask = (hub: string, ...words: string[]): Promise<Ended> =>
    here.stay('rephub', ...words, '--control', at(`${hub}.ctl`)).ended
  return {
    ...{ here, at, serve, ask },
    hubs: (...words: string[]) => here.stay('rephub', 'hubs', ...etcd, ...words).ended,
    async status(hub: string): Promise<HubStatus & { exit: number }> {
      const { stdout, stderr } = await ask(hub, 'status', '--json')
      if (stdout === '') throw new Error(stderr)
      return JSON.parse(stdout)
    },
    /** Writes to a disk, or reads it, over a connection of its own. */
    async withDisk<Result>(
      path: string,
      exportName: string,
      use: (disk: Awaited<ReturnType<typeof connectNbd>>) => Promise<Result>,
    ): Promise<Result> {
      await using disk = await connectNbd({ path }, { export: exportName })
      return await use(disk)
    },
  }
}

t.test('a hub is killed: the one that stands by serves the same', { timeout: 120_000 }, t =>
  realPart(t, async () => {
    const { here, at, serve, ask, hubs, status, withDisk } = standbys(t, await startEtcd(t))
    t.match(await hubs(), { status: 0, stdout: 'no hub has said where it serves\n' })
    const first = serve('a')
    await first.until(/^hub hub: no groups\n/m)
    const second = serve('b', '--metrics', at('b.metrics'))
    await second.until(standing)

    // one that stands by is there, and does nothing
    t.notOk(existsSync(at('b.agents')), 'it takes no agents')
    t.notOk(existsSync(at('b.nbd')), 'and no guests')
    t.ok(existsSync(at('b.metrics')), 'but has metrics')
    t.match(await ask('b', 'status'), {
      status: 17,
      stdout: /^hub hub: standing by .* held by hub on .* \(process \d+\)\n$/,
    })
    t.match(await status('b'), { exit: 17, groups: [], lease: { name: 'copies', state: 'standing-by', epoch: 1 } })
    t.match(await ask('b', 'test', 'web'), { status: 2, stderr: /standing by .*: ask the hub that serves\n$/ })
    t.match(await ask('a', 'status'), { status: 0, stdout: /^hub hub; lease copies of epoch 1; agents at / })

    writeFileSync(at('root'), '')
    truncateSync(at('root'), 8 * mebibyte)
    const where = ['--state', at('state'), '--run', at('run'), '--control', at('agent.ctl')]
    const both = `${at('b.agents')},${at('a.agents')}`
    const agent = here.stay('repagent', 'protect', 'web', 'root=root', '--name', 'anna', '--hub', both, ...where)
    await agent.until(/connected to the hub hub at .*a\.agents; web: protected\n/)
    const disk = here.disk('web', 'root')
    await withDisk(disk, 'web/root', one => one.write(0, Buffer.from('first')))
    t.match(await here.repagent('checkpoint', 'web', 'one'), { status: 0 })
    t.match(await ask('a', 'test', 'web', '--at', 'one', '--branch', 'look'), { status: 0 })
    await withDisk(at('a.nbd'), 'web/look/root', async guest => {
      await guest.write(4096, Buffer.from('guest'))
      await guest.flush()
    })
    await eventually('the catalogue has the group', async () => /\n {2}web: protected\n/.test((await hubs()).stdout))
    t.match(await hubs(), { stdout: /^copies: hub hub on \S+ serves; agents at \S+a\.agents; NBD at \S+a\.nbd\n/ })

    first.child.kill('SIGKILL')
    await withDisk(disk, 'web/root', one => one.write(4096, Buffer.from('alone')))
    await second.until(/\nhub hub: web: .*protected, sent by anna/)
    t.match(await status('b'), { exit: 0, lease: { state: 'held', epoch: 2 }, groups: [{ name: 'web' }] })
    await agent.until(/connected to the hub hub at .*b\.agents; web: protected\n/)
    t.equal(
      await withDisk(at('b.nbd'), 'web/look/root', async guest =>
        Buffer.concat([await guest.read(0, 5), await guest.read(4096, 5)]).toString(),
      ),
      'firstguest',
      'a guest that connects again finds what it flushed',
    )
    t.match(await here.repagent('checkpoint', 'web', 'two'), { status: 0 })
    t.match(await ask('b', 'test', 'web', '--at', 'two', '--branch', 'now'), { status: 0 })
    t.equal(
      await withDisk(at('b.nbd'), 'web/now/root', async guest =>
        Buffer.concat([await guest.read(0, 5), await guest.read(4096, 5)]).toString(),
      ),
      'firstalone',
    )
    const known = JSON.parse((await hubs('--json')).stdout) as { hubs: { epoch: number; isServing: boolean }[] }
    t.match(known.hubs, [{ lease: 'copies', epoch: 2, isServing: true, hub: { nbd: at('b.nbd') } }])

    // one that ends gives the lease up, last of all: nobody has to wait for its end
    const third = serve('a')
    await third.until(standing)
    second.child.kill('SIGTERM')
    t.match(await second.ended, { status: 143, stderr: '' })
    await third.until(/\nhub hub: web: .*protected, sent by anna/)
    third.child.kill('SIGTERM')
    t.match(await third.ended, { status: 143, stderr: '' })
    t.match(await hubs(), { stdout: /^copies: .* served last; nobody has the lease; / })
  }),
)

t.test('a hub that was stopped past its lease ends when it goes on', { timeout: 120_000 }, t =>
  realPart(t, async () => {
    const { here, at, serve, ask, status, withDisk } = standbys(t, await startEtcd(t))
    const first = serve('a')
    await first.until(/^hub hub: no groups\n/m)
    const second = serve('b', '--json')
    await second.until(/"event":"status".*"state":"standing-by"/)
    writeFileSync(at('root'), '')
    truncateSync(at('root'), 8 * mebibyte)
    const where = ['--state', at('state'), '--run', at('run'), '--control', at('agent.ctl')]
    const both = `${at('a.agents')},${at('b.agents')}`
    const agent = here.stay('repagent', 'protect', 'web', 'root=root', '--name', 'anna', '--hub', both, ...where)
    await agent.until(/; web: protected\n/)
    const disk = here.disk('web', 'root')
    await withDisk(disk, 'web/root', one => one.write(0, Buffer.from('first')))
    t.match(await here.repagent('checkpoint', 'web', 'one'), { status: 0 })
    t.match(await ask('a', 'test', 'web', '--branch', 'look'), { status: 0 })
    const guest = await connectNbd({ path: at('a.nbd') }, { export: 'web/look/root' })
    // the hub that is stopped answers nothing
    t.teardown(() => void guest.disconnect().catch(() => {}))
    t.equal(Buffer.from(await guest.read(0, 5)).toString(), 'first')

    first.child.kill('SIGSTOP')
    const asked = guest.write(0, Buffer.from('stale'))
    asked.catch(() => {})
    await eventually('the other one serves', async () => (await status('b')).groups.length === 1)
    first.child.kill('SIGCONT')
    await t.rejects(asked, 'what a guest asks of it is not answered')
    t.match(await first.ended, { status: 16, stderr: /the lease copies of epoch 1 is lost.*: this hub ends\n$/ })

    await agent.until(/connected to the hub hub at .*b\.agents; web: protected\n/)
    const [group] = (await status('b')).groups
    t.equal(group?.term, 2, 'the group is claimed by the epoch')
    t.equal(
      await withDisk(at('b.nbd'), 'web/look/root', one => one.read(0, 5)).then(String),
      'first',
      'what it wrote late counts for nobody',
    )
    second.child.kill('SIGTERM')
    t.match(await second.ended, { status: 143 })
  }),
)

t.test('a hub without its etcd stands by, and says why', { timeout: 60_000 }, t =>
  realPart(t, async () => {
    const cluster = await startEtcd(t)
    const { serve, ask } = standbys(t, cluster)
    await cluster.end()
    const hub = serve('a')
    await hub.until(/standing by for the lease copies, nobody knows who has it: no member of etcd answers/)
    t.match(await ask('a', 'status'), { status: 17, stdout: /nobody knows who has it/ })
    hub.child.kill('SIGTERM')
    t.match(await hub.ended, { status: 143, stderr: '' })
  }),
)

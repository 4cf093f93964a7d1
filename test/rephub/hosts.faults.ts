import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connectNbd } from 'xenlight/nbd'
import { eventually } from '../protocol-d/eventually.js'
import { freePort } from '../protocol-d/free-port.js'
import { newAuthority } from '../replication/node/certificates.js'
import { realPart } from '../support/real-part.js'
import { type Hosts, hosts } from './real-hosts.js'

const mebibyte = 1024 * 1024

/** Both commands with a group of two disks, which is protected. */
async function protectedGroup(t: Test): Promise<Hosts> {
  const here = hosts(t)
  for (const name of ['root', 'data']) {
    writeFileSync(join(here.folder, name), '')
    truncateSync(join(here.folder, name), 8 * mebibyte)
  }
  await here.hub()
  await here.agent('web', 'root=root', 'data=data')
  await here.until('web', 'protected')
  return here
}

/** Writes to a disk, or reads it. */
async function withDisk<Result>(
  path: string,
  exportName: string,
  use: (disk: Awaited<ReturnType<typeof connectNbd>>) => Promise<Result>,
): Promise<Result> {
  await using disk = await connectNbd({ path }, { export: exportName })
  return await use(disk)
}

const write = (here: Hosts, disk: string, text: string) =>
  withDisk(here.disk('web', disk), `web/${disk}`, one => one.write(0, Buffer.from(text)))
const read = (here: Hosts, branch: string, disk: string) =>
  withDisk(here.nbd, `web/${branch}/${disk}`, async one => Buffer.from(await one.read(0, 5)).toString())

t.test('tests of two moments at once, beside a protection that goes on', async t => {
  const here = await protectedGroup(t)
  await write(here, 'root', 'first')
  await write(here, 'data', 'FIRST')
  t.match(await here.repagent('checkpoint', 'web', 'one'), { status: 0, stdout: /^checkpoint one of / })
  await write(here, 'root', 'other')
  t.match(await here.rephub('checkpoint', 'web', 'two', '--json'), { status: 0, stdout: /^\{"name":"two",/ })
  t.match(await here.rephub('test', 'web', '--at', 'one', '--branch', 'a'), { status: 0, stdout: /^test a, as of / })
  const made = await here.rephub('test', 'web', '--json')
  const { branch, volumes } = JSON.parse(made.stdout) as { branch: string; volumes: { url: string }[] }
  t.equal(volumes.length, 2)
  t.match(volumes[1]?.url, `nbd+unix:///web%2F${branch}%2Fdata?socket=`.replaceAll('%2F', '/'))
  t.equal(await read(here, 'a', 'root'), 'first')
  t.equal(await read(here, 'a', 'data'), 'FIRST')
  t.equal(await read(here, branch, 'root'), 'other')
  t.match(await here.rephub('status', 'web'), { status: 0, stdout: /\n {2}test a of .* \(#\d+\) by .*, 0 B written\n/ })
  t.match(await here.rephub('test', 'web', '--branch', 'a'), { status: 2, stderr: /has a branch a: discard it/ })
  t.match(await here.rephub('test', 'web', '--at', 'three'), { status: 2, stderr: /no checkpoint of that name/ })
  t.match(await here.rephub('test', 'web', '--at', '1h-ago'), { status: 2, stdout: '' })
  t.match(await here.rephub('arguments', 'web'), { status: 2, stderr: /is not failed over/ })
  t.match(await here.rephub('points', 'web'), {
    status: 0,
    stdout: /^any moment from .*\n\S+ {2}#\d+ {2}one\n\S+ {2}#\d+ {2}two\n$/,
  })
  for (const name of ['a', branch]) t.match(await here.rephub('discard', 'web', name), { status: 0, stdout: '' })
  t.match(await here.rephub('discard', 'web', 'a'), { status: 2, stderr: /has no branch a/ })
  t.strictSame((await here.hubStatus()).groups[0]?.branches, [])
})

t.test('what is done with a group is seen, by the exit status too', async t => {
  const here = await protectedGroup(t)
  const exits = async (what: string, exit: number) => {
    let last: unknown
    await eventually(
      `${what} is ${exit}`,
      async () => {
        last = await here.agentStatus()
        return (last as { exit: number }).exit === exit
      },
      () => JSON.stringify(last),
    )
  }
  await exits('protected', 0)
  t.match(await here.repagent('pause', 'web'), { status: 0, stdout: '', stderr: '' })
  t.match(await here.repagent('status', 'web'), { status: 12, stdout: /\n {2}root: paused since / })
  t.match(await here.repagent('checkpoint', 'web', 'x'), { status: 2, stderr: /no checkpoint can be taken/ })
  await write(here, 'root', 'while')
  t.match(await here.repagent('resume', 'web'), { status: 0 })
  await exits('resumed', 0)
  t.match(await here.repagent('stop', 'web'), { status: 0 })
  t.match(await here.repagent('status'), { status: 14, stdout: /\n {2}data: unprotected\n/ })
  t.match(await here.repagent('start', 'web'), { status: 0 })
  await exits('started', 0)
  t.match(await here.rephub('pause', 'web'), { status: 0, stdout: '', stderr: '' })
  t.match(await here.repagent('status', 'web'), { status: 12 })
  t.match(await here.rephub('resume', 'web'), { status: 0 })
  await exits('resumed by the hub', 0)
  t.match(await here.rephub('stop', 'web'), { status: 0, stdout: '', stderr: '' })
  t.match(await here.repagent('status', 'web'), { status: 14 })
  t.match(await here.rephub('start', 'web'), { status: 0 })
  await exits('started by the hub', 0)
  t.match(await here.repagent('pause', 'other'), { status: 2, stderr: /has no group of that name; it has web/ })
  t.match(await here.rephub('failover', 'web', '--branch', 'b'), { status: 0 })
  t.match(await here.rephub('status'), { status: 13, stdout: /\nweb: failed-over since .*\(fail-over by / })
  t.equal(await read(here, 'b', 'root'), 'while')
  await exits('fenced', 16)
  t.match((await here.agentStatus()).groups[0]?.volumes, [
    { state: { state: 'failed', code: 'fenced' } },
    { state: { state: 'failed', code: 'fenced' } },
  ])
  t.match(await here.rephub('discard', 'web', 'b'), { status: 0 })
  await exits('rolled back', 0)
})

t.test('a fail-back waits for the recovery guest, as long as somebody waits for it', async t => {
  const here = await protectedGroup(t)
  await write(here, 'root', 'first')
  t.match(await here.repagent('checkpoint', 'web', 'one'), { status: 0 })
  t.match(await here.rephub('failover', 'web', '--branch', 'b'), { status: 0 })
  await eventually('it is fenced', async () => (await here.agentStatus()).exit === 16)
  const guest = await connectNbd({ path: here.nbd }, { export: 'web/b/root' })
  t.teardown(() => guest.disconnect())
  await guest.write(0, Buffer.from('other'))

  const waiting = () => here.stay('rephub', 'failback', 'web', '--control', join(here.folder, 'hub.ctl'))
  const said = /^(?:fail-back .*\n)*.* left: shut the recovery guest down to end the fail-back\n/
  const interrupted = waiting()
  await interrupted.until(said)
  t.match(await here.rephub('failback', 'web'), { status: 2, stderr: /the fail-back of the group web is under way/ })
  interrupted.child.kill('SIGINT')
  t.match(await interrupted.ended, {
    status: 130,
    stderr: 'rephub: interrupted: the fail-back is called off: the group is failed-over\n',
  })
  t.match(await here.rephub('failback', 'web', '--timeout', '4s'), {
    status: 1,
    stderr: /not done within 4000 ms; the fail-back is called off: the group is failed-over\n$/,
  })
  t.match(await here.rephub('discard', 'web', 'b'), { status: 2, stderr: /disks of anna are no moment/ })
  await guest.write(0, Buffer.from('again'))

  const second = waiting()
  await second.until(said)
  await guest.write(0, Buffer.from('final'))
  await guest.disconnect()
  t.match(await second.ended, { status: 0, stdout: /\nweb: failed back; epoch 3\n$/ })
  await here.until('web', 'protected')
  t.equal(await withDisk(here.disk('web', 'root'), 'web/root', one => one.read(0, 5)).then(String), 'final')
})

t.test('a fail-back that does not wait ends the disks of the recovery guest', async t => {
  const here = await protectedGroup(t)
  t.match(await here.rephub('failover', 'web', '--branch', 'b'), { status: 0 })
  const guest = await connectNbd({ path: here.nbd }, { export: 'web/b/data' })
  t.teardown(() => guest.disconnect())
  await guest.write(0, Buffer.from('other'))
  t.match(await here.rephub('failback', 'web', '--now'), { status: 0, stdout: 'web: failed back; epoch 3\n' })
  await t.rejects(guest.write(0, Buffer.from('lost')), 'they take nothing more')
  await here.until('web', 'protected')
})

t.test('signals end both cleanly, and they go on where they were', async t => {
  const here = hosts(t)
  writeFileSync(join(here.folder, 'root'), '')
  truncateSync(join(here.folder, 'root'), 8 * mebibyte)
  const hub = await here.hub('--json')
  const agent = await here.agent('web', 'root=root')
  await here.until('web', 'protected')
  const [first] = hub.stdout().split('\n')
  t.match(JSON.parse(first!), { name: /./, groups: [], closed: [] })
  hub.child.kill('SIGTERM')
  t.match(await hub.ended, { status: 143, signal: null, stderr: '' })
  await eventually('it is seen', async () => (await here.agentStatus()).exit === 13)
  t.match(await here.repagent('status'), {
    status: 13,
    stdout: /not connected to the hub.*\n.*\n {2}root: degraded since/,
  })
  await write(here, 'root', 'alone')
  agent.child.kill('SIGINT')
  t.match(await agent.ended, { status: 130, signal: null, stderr: '' })
  t.match(agent.stdout(), /; web: protected\n[\s\S]*not connected to the hub/)
  t.notOk(existsSync(join(here.folder, 'agent.ctl')))
  t.strictSame(readdirSync(join(here.folder, 'run')), [])
  await here.hub()
  t.match(await here.rephub('status'), { status: 11, stdout: /\nweb: disconnected since/ })
  await here.agent('web', 'root=root')
  await here.until('web', 'protected')
  t.match(await here.rephub('test', 'web', '--branch', 'b'), { status: 0 })
  t.equal(await read(here, 'b', 'root'), 'alone')
})

t.test('one hub has the data, unless another one takes over', async t => {
  const here = await protectedGroup(t)
  const second = (...options: string[]) =>
    here.stay('rephub', 'serve', '--data', join(here.folder, 'copies'), ...options, '--control', join(here.folder, '2'))
  t.match(await second().ended, { status: 2, stdout: '', stderr: /is that of hub .*: end that one, or take over/ })
  const taking = second('--take-over')
  await taking.until(/^hub .*: web: disconnected/)
  await eventually('the first one knows', async () => (await here.rephub('status')).status === 16)
  t.match(await here.rephub('status'), { stdout: /\nPROBLEM: the hub's data belong to .* now/ })
})

t.test('over TLS, from configuration files; an option counts before them', async t => {
  const authority = await realPart(t, () => newAuthority(t))
  if (authority === undefined) return
  const here = hosts(t)
  const at = (name: string) => join(here.folder, name)
  for (const name of ['anna', 'berta', 'hub']) {
    mkdirSync(at(`${name}.tls`))
    for (const [file, pem] of Object.entries(authority.sign(name))) writeFileSync(at(`${name}.tls/${file}.pem`), pem)
  }
  for (const name of ['anna', 'berta']) {
    writeFileSync(at(`${name}.img`), '')
    truncateSync(at(`${name}.img`), mebibyte)
  }
  const port = await freePort()
  const nbdPort = await freePort()
  writeFileSync(
    at('hub.yaml'),
    `name: hub\ndata: ${at('data')}\nlisten: /nowhere/socket\ntls: ${at('hub.tls')}\ncontrol: ${at('hub.ctl')}\nnbd: 127.0.0.1:${nbdPort}\ngroups: { web: { agents: [anna], control: [berta] } }\n`,
  )
  const agentOf = (name: string) => {
    writeFileSync(
      at(`${name}.yaml`),
      `name: ${name}\nhub: 127.0.0.1:${port}\ntls: ${at(`${name}.tls`)}\nstate: ${at(`${name}.state`)}\nrun: ${at(`${name}.run`)}\ngroups: { web: { hubMay: [fail-back], disks: { root: { image: ${at(`${name}.img`)} } } } }\n`,
    )
    return here.stay('repagent', 'serve', '--config', at(`${name}.yaml`))
  }
  const hub = here.stay('rephub', 'serve', '--config', at('hub.yaml'), '--listen', `127.0.0.1:${port}`)
  await hub.until(/^hub hub: web: empty\n/)
  await agentOf('anna').until(/connected to the hub hub at .*; web: protected\n/)
  await agentOf('berta').until(/; web: .*berta.* may not send the group web/)
  await hub.until(/web: protected, sent by anna\n/)
  t.match(await here.rephub('status'), { status: 0, stdout: /connected: anna, berta\n/ })
  for (const verb of ['pause', 'resume', 'stop', 'start'])
    t.match(await here.rephub(verb, 'web'), {
      ...{ status: 2, stdout: '' },
      stderr:
        /the hub may not do this with web: add 'control' to hubMay of the group in the agent's configuration \(--hub-may of protect\)\n$/,
    })
  // recovery guests show certificates, too, and have the disks of those groups that they may control
  const made = JSON.parse((await here.rephub('test', 'web', '--branch', 'look', '--json')).stdout)
  const [volume] = made.volumes as { url: string; blockdev: string }[]
  t.equal(volume?.url, `nbds://127.0.0.1:${nbdPort}/web/look/root`)
  const asked = (name?: string) => {
    const tls = name === undefined ? undefined : { ...authority.sign(name), serverName: 'hub' }
    return connectNbd({ host: '127.0.0.1', port: nbdPort }, { export: 'web/look/root', tls })
  }
  await (await asked('berta')).disconnect()
  await t.rejects(asked('anna'), /no such export|unknown|ENOENT/i, 'it sends the group, and may not have its copies')
  await t.rejects(asked())
  mkdirSync(at('creds'))
  for (const [file, pem] of Object.entries({ 'ca-cert': 'ca', 'client-cert': 'cert', 'client-key': 'key' }))
    writeFileSync(at(`creds/${file}.pem`), readFileSync(at(`berta.tls/${pem}.pem`)))
  const creds = `tls-creds-x509,id=rephub,endpoint=client,dir=${at('creds')}`
  t.match(
    execFileSync('qemu-img', ['info', '--object', creds, `json:${volume?.blockdev}`], { encoding: 'utf8' }),
    /1 MiB/,
  )
})

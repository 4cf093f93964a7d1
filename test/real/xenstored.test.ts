import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { connect } from '#xenlight/xenstore/node/connect.js'
import { realPart } from '../support/real-part.js'
import { startXenstored } from './xenstored.js'

const { PATH } = process.env

for (const kind of ['xenstored', 'oxenstored'] as const) {
  t.test(`two of ${kind} run side by side, apart from each other, and end when told`, async t => {
    const one = await realPart(t, () => startXenstored(kind))
    if (!one) return
    await using _ = one
    await using two = await startXenstored(kind)
    const ask = (path: string, program: string, ...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(`xenstore-${program}`, args, {
        env: { PATH, XENSTORED_PATH: path },
        encoding: 'utf8',
      })
      return `${status} ${stdout}${stderr}`.trimEnd()
    }
    t.equal(ask(one.path, 'write', '/tool/name', 'one'), '0')
    t.equal(ask(two.path, 'write', '/tool/name', 'two'), '0')
    t.equal(ask(one.path, 'read', '/tool/name'), '0 one')
    t.equal(ask(two.path, 'read', '/tool/name'), '0 two')

    await one.stop()
    t.notOk(existsSync(one.path), 'its files are gone')
    t.match(ask(one.path, 'read', '/tool/name'), /^1 /)
    t.throws(() => process.kill(one.pid, 0), { code: 'ESRCH' })
    t.equal(ask(two.path, 'read', '/tool/name'), '0 two')
  })
}

for (const kind of ['xenstored', 'oxenstored'] as const) {
  t.test(`${kind} hears of a domain's death, and its ring goes`, async t => {
    const daemon = await realPart(t, () => startXenstored(kind, { domains: [[1, 20]] }))
    if (!daemon) return
    await using _ = daemon
    await using store = await connect({ path: daemon.path })
    await store.introduce({ domid: 11, gfn: 1, eventChannel: 1 })
    await store.introduce({ domid: 12, gfn: 1, eventChannel: 1 })
    await t.rejects(store.introduce({ domid: 21, gfn: 1, eventChannel: 1 }), { code: 'EINVAL' })
    const guest = await connect({ path: daemon.domainPath(11) })
    t.equal(await guest.getDomainPath(11), '/local/domain/11')

    using released = store.watch('@releaseDomain')
    await released.next()
    await daemon.setDomains([[12, 20]])
    t.match(await released.next(), { value: { path: '@releaseDomain' } })
    t.strictSame([await store.isIntroduced(11), await store.isIntroduced(12)], [false, true])
    t.match(await guest.closed, { code: 'ECONNRESET' })
    t.notOk(existsSync(daemon.domainPath(11)))
  })
}

t.test('a daemon ends with the process that started it', async t => {
  const present = await realPart(t, () => startXenstored('xenstored'))
  if (!present) return
  await present.stop()
  const code = `
    const { startXenstored } = await import(${JSON.stringify(new URL('./xenstored.js', import.meta.url).href)})
    const { pid, path } = await startXenstored('xenstored')
    console.log(JSON.stringify({ pid, path }))
    process.kill(process.pid, 'SIGKILL')`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    env: { PATH },
    encoding: 'utf8',
  })
  const { pid, path } = JSON.parse(stdout || '{}')
  t.ok(pid > 0, stderr)
  t.teardown(() => rmSync(dirname(path), { recursive: true }))
  // The kernel sends the signal when the parent has ended, which may be noticed here before the daemon is gone.
  while (isAlive(pid)) await new Promise(resolve => setTimeout(resolve, 5))
})

/** Not one that has ended and waits for somebody to take notice of that. */
const isAlive = (pid: number): boolean => {
  const file = `/proc/${pid}/stat`
  return existsSync(file) && !readFileSync(file, 'utf8').includes(') Z ')
}

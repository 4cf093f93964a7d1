import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { holdLease, openEtcd } from 'xenlight/lease'
import { grantLease } from '#xenlight/lease/etcd/etcd-lease.js'
import { put, read, transact } from '#xenlight/lease/etcd/transaction.js'
import { EtcdCluster } from '#xenlight/lease/node/etcd-cluster.js'
import { readEndpoint } from '#xenlight/lease/node/etcd-endpoint.js'
import { EtcdMember } from '#xenlight/lease/node/etcd-member.js'
import { systemClock } from '#xenlight/lease/node/system-clock.js'
import { eventually } from '../../protocol-d/eventually.js'
import { MissingRealPart, realPart } from '../../support/real-part.js'
import { type EtcdDaemon, leaderOf, startEtcd } from './etcd-daemons.js'

const { COUNT = '3' } = process.env
const ttl = 10_000
/** How long a disk hangs, in milliseconds: longer than any lease here lasts. */
const hangs = 18_000

/** Has a member's disk hang at each sync. What it returns ends that. @throws MissingRealPart */
async function hang(t: Test, { pid }: EtcdDaemon): Promise<() => void> {
  if (!existsSync('/usr/bin/strace')) throw new MissingRealPart('strace', 'strace')
  const inject = `inject=fdatasync,fsync:delay_enter=${hangs * 1000}`
  const args = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync,fsync', '-e', inject, '-p', String(pid)]
  const strace = spawn('/usr/bin/strace', args, { stdio: 'ignore' })
  t.teardown(() => strace.kill('SIGKILL'))
  await delay(500)
  if (strace.exitCode !== null) throw new MissingRealPart('the right to trace processes', 'strace, as root')
  return () => strace.kill('SIGINT')
}

/** Asks one member, as those do who keep a lease alive. @returns whether it says that the lease goes on */
async function keepAlive({ endpoint }: EtcdDaemon, lease: string): Promise<boolean | undefined> {
  const ask = { method: 'POST', body: JSON.stringify({ ID: lease }), signal: AbortSignal.timeout(700) }
  const reply = await fetch(`${endpoint}/v3/lease/keepalive`, ask).catch(() => undefined)
  const said = (await reply?.json().catch(() => undefined)) as { result?: { TTL?: string } } | undefined
  return said && said.result?.TTL !== undefined
}

t.test(`a leader whose disk hangs ends no lease when it goes on, COUNT=${COUNT}`, { timeout: 1_800_000 }, t =>
  realPart(t, async () => {
    const cluster = await startEtcd(t, { size: 3 })
    const { members, options } = cluster
    using etcd = openEtcd(options)
    let ended = 0
    let lost = 0
    let epoch = 0
    for (let round = 0; round < Number(COUNT); round++) {
      const keeper = await holdLease(etcd.leases, 'web', { holder: 'anna', ttl })
      t.equal(keeper.epoch, ++epoch)
      await eventually('somebody leads', async () => (await leaderOf(members)) !== undefined)
      const leader = (await leaderOf(members))!
      const others = members.filter(member => member !== leader)
      const those = others.map(({ endpoint }) => new EtcdMember(readEndpoint('endpoint', endpoint), undefined))
      const gateway = new EtcdCluster(those, { clock: systemClock, tryTimeout: 1000, timeout: 10_000 })

      // beside it, a lease as others hold it: one that is kept alive
      const lease = await grantLease(gateway, 4000)
      await transact(gateway, { success: [put('/kept-alive', 'anna', lease)] })
      const over = new AbortController()
      const answers: boolean[] = []
      const keptAlive = (async () => {
        for (let asked = 0; !over.signal.aborted; asked++) {
          const answer = await keepAlive(others[asked % 2]!, lease)
          if (answer !== undefined) answers.push(answer)
          await delay(300)
        }
      })()

      const goOn = await hang(t, leader)
      // something has to be written for it to hang
      for (const end = performance.now() + hangs - 2000; performance.now() < end; await delay(300)) {
        await transact(gateway, { success: [put('/written', String(round))] }).catch(() => {})
        const state = await etcd.leases.look('web').catch(() => undefined)
        if (state !== undefined && keeper.isHeld() && state.holder !== 'anna')
          t.fail('it is held, and etcd knows nothing of it')
      }
      const before = (await transact(gateway, { success: [read('/kept-alive')] })).read[0] !== undefined
      const promised = answers.at(-1)
      goOn()
      await delay(8000)
      const after = (await transact(gateway, { success: [read('/kept-alive')] })).read[0] !== undefined
      over.abort()
      await keptAlive
      gateway.close()
      if (before && promised === true && !after) ended++

      if (!keeper.isHeld()) lost++
      t.ok(keeper.isHeld(), `round ${round}: it is held, after ${keeper.renewals} renewals`)
      t.strictSame(await etcd.leases.look('web'), { name: 'web', holder: 'anna', epoch })
      await keeper.release()
    }
    t.comment(
      `stuck: ${COUNT} leaders whose disk hung; ${ended} leases that were kept alive were ended all the same, and ${lost} of ours`,
    )
  }),
)

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { claimTerm } from '#xenlight/replication/node/term.js'

const worker = fileURLToPath(new URL('term-worker.js', import.meta.url))
const noLocks = { lock: () => Promise.reject(new Error('there are no locks')) }

function newFolder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'term-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A hub in a process of its own. */
class Hub {
  readonly child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(t: Test, folder: string, who: string, how = '') {
    this.child = spawn(process.execPath, [worker, folder, who, how], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface(this.child.stdout!)[Symbol.asyncIterator]()
    t.teardown(() => this.child.kill('SIGKILL'))
  }

  async line(): Promise<string> {
    return (await this.#lines.next()).value ?? 'it has ended'
  }

  ask(what = 'look'): Promise<string> {
    this.child.stdin!.write(`${what}\n`)
    return this.line()
  }

  async kill(): Promise<void> {
    const gone = new Promise(resolve => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await gone
  }
}

for (const how of ['', 'no-locks'])
  t.test(`two hubs, ${how === '' ? 'with locks' : 'without locks'}`, async t => {
    await t.test('a second one is rejected while the first lives, and not when it is dead', async t => {
      const folder = newFolder(t)
      const first = new Hub(t, folder, 'first', how)
      t.equal(await first.line(), 'term 1')
      const second = new Hub(t, folder, 'second', how)
      t.match(
        await second.line(),
        new RegExp(
          `${folder} is that of hub first on ${hostname()} \\(process ${first.child.pid}\\) since 20.*: end that one, or take over`,
        ),
      )
      t.equal(await first.ask(), 'mine')
      await first.kill()
      const third = new Hub(t, folder, 'third', how)
      t.equal(await third.line(), 'term 2')
      t.equal(await third.ask('release'), 'it has ended')
      t.equal(await new Hub(t, folder, 'fourth', how).line(), 'term 3')
    })

    await t.test('a frozen one that wakes up after a take-over knows', async t => {
      const folder = newFolder(t)
      const first = new Hub(t, folder, 'first', how)
      t.equal(await first.line(), 'term 1')
      first.child.kill('SIGSTOP')
      t.match(await new Hub(t, folder, 'second', how).line(), 'that of hub first')
      const second = new Hub(t, folder, 'second', `${how} take-over`)
      t.equal(await second.line(), 'term 2')
      first.child.kill('SIGCONT')
      t.match(await first.ask(), 'lost to hub second on')
      t.equal(await second.ask(), 'mine')
      await second.kill()
      t.match(await first.ask(), 'lost to hub second on', 'for ever')
      t.match(
        await new Hub(t, folder, 'third', how).line(),
        'term 3',
        'the dead one is not taken for the first one that lives',
      )
    })

    t.test('many at once: one of them has it', async t => {
      const folder = newFolder(t)
      const hubs = Array.from({ length: 6 }, (_, index) => new Hub(t, folder, `hub${index}`, how))
      const said = await Promise.all(hubs.map(hub => hub.line()))
      const claimed = hubs.filter((_, index) => said[index]!.startsWith('term '))
      const owners = (await Promise.all(claimed.map(hub => hub.ask()))).filter(answer => answer === 'mine')
      t.equal(owners.length, 1, said.join('; '))
      if (how === '') t.equal(claimed.length, 1)
    })
  })

t.test('a claim of another host', async t => {
  const folder = newFolder(t)
  const term = await claimTerm(folder, { who: 'here' })
  const path = join(folder, 'terms', '0000000001')
  const claim = JSON.parse(readFileSync(path, 'utf8'))
  t.match(claim, { who: 'here', host: hostname(), pid: process.pid, isLocked: true, isReleased: false })
  await term.release()
  const elsewhere = { ...claim, host: 'elsewhere', boot: 'another' }
  writeFileSync(path, JSON.stringify(elsewhere))
  for (const options of [{}, noLocks])
    await t.rejects(claimTerm(folder, { who: 'here', ...options }), { code: 'owned', message: /hub here on elsewhere/ })
  writeFileSync(path, JSON.stringify({ ...elsewhere, isReleased: true }))
  t.equal((await claimTerm(folder, { who: 'here' })).number, 2, 'released')
  t.equal((await claimTerm(folder, { who: 'here', takeOver: true })).number, 3)
})

t.test('a claim of this host before it was started anew', async t => {
  for (const options of [{}, noLocks]) {
    const folder = newFolder(t)
    await (await claimTerm(folder, { who: 'here' })).release()
    const path = join(folder, 'terms', '0000000001')
    const claim = JSON.parse(readFileSync(path, 'utf8'))
    // the process of that number is another one now
    writeFileSync(path, JSON.stringify({ ...claim, boot: 'before', isReleased: false, isLocked: options !== noLocks }))
    t.equal((await claimTerm(folder, { who: 'here', ...options })).number, 2)
  }
})

t.test('a claim that was not written to its end is nobody', async t => {
  const folder = newFolder(t)
  const term = await claimTerm(folder, { who: 'a' })
  await term.release()
  for (const [index, torn] of ['', '{"who":', 'null', '{}', '\0'.repeat(100)].entries()) {
    writeFileSync(join(folder, 'terms', '0000000009'), torn)
    const next = await claimTerm(folder, { who: 'a', ...(index % 2 === 0 ? {} : noLocks) })
    t.equal(next.number, 10)
    t.ok(next.stillOwns())
    await next.release()
    t.notOk(next.stillOwns(), 'released')
    rmSync(join(folder, 'terms', '0000000010'))
  }
})

t.test('who has lost it does not get it back', async t => {
  const folder = newFolder(t)
  const first = await claimTerm(folder, { who: 'first' })
  const second = await claimTerm(folder, { who: 'second', takeOver: true })
  t.notOk(first.stillOwns())
  rmSync(join(folder, 'terms', '0000000002'))
  t.notOk(first.stillOwns())
  t.notOk(second.stillOwns(), 'its claim is gone')
  await first.release()
  await second.release()
})

t.test('old claims are removed, their numbers not used again', async t => {
  const folder = newFolder(t)
  for (let number = 1; number <= 40; number++) {
    const term = await claimTerm(folder, { who: 'a', ...noLocks, takeOver: true })
    t.equal(term.number, number)
    await term.release()
  }
  t.equal(readdirSync(join(folder, 'terms')).filter(name => /^\d+$/.test(name)).length, 16)
})

t.test('a folder that cannot be written', async t => {
  const folder = newFolder(t)
  writeFileSync(join(folder, 'terms'), 'a file')
  await t.rejects(claimTerm(folder, { who: 'a' }), { name: 'ReplicationError', code: 'file-failed' })
})

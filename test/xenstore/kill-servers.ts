import type { Test } from 'tap'
import { type Xenstore, XenstoreError } from '#xenlight/xenstore/index.js'
import { connect } from '#xenlight/xenstore/node/connect.js'
import { startXenstored, type XenstoredKind } from '../real/xenstored.js'
import { realPart } from '../support/real-part.js'

/** How each piece of work ended: 'done', or the code of its error. */
type Ends = Map<string, number>

const lanes = 4
const large = 'x'.repeat(2000)

/** Kills each daemon so many times in the middle of much work. */
export function killServers(t: Test, times: Readonly<Record<XenstoredKind, number>>): void {
  for (const kind of ['xenstored', 'oxenstored'] as const)
    t.test(`${kind} killed ${times[kind]} times`, t => killTimes(t, kind, times[kind]))
}

async function killTimes(t: Test, kind: XenstoredKind, times: number): Promise<void> {
  const present = await realPart(t, () => startXenstored(kind))
  if (!present) return
  await present.stop()
  const ends: Ends = new Map()
  let left = times
  const lane = async () => {
    while (left-- > 0) await killOnce(t, kind, ends)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  const wrong = [...ends.keys()].filter(end => end !== 'done' && end !== 'ECONNRESET')
  t.strictSame(wrong, [], 'whatever fails does so with ECONNRESET')
  t.ok((ends.get('ECONNRESET') ?? 0) > 20 * times, 'much was under way each time')
  t.comment([...ends].map(([end, count]) => `${count} ${end}`).join(', '))
}

/** A server with much to do is killed after some of its answers, any number of them. */
async function killOnce(t: Test, kind: XenstoredKind, ends: Ends): Promise<void> {
  await using daemon = await startXenstored(kind)
  const store = await connect({ path: daemon.path })
  const killAfter = Math.floor(Math.random() ** 2 * 600)
  let answers = 0
  let killed: Promise<void> | undefined
  const kill = () => {
    killed ??= daemon.kill()
  }
  const work = manyThings(store, () => {
    if (++answers > killAfter) kill()
  })
  const settled = await Promise.race([
    Promise.allSettled(work),
    new Promise<'hangs'>(resolve => setTimeout(resolve, 60_000, 'hangs').unref()),
  ])
  if (settled === 'hangs') {
    t.fail(`something hangs after a kill behind ${killAfter} answers: ${JSON.stringify(store.statistics)}`)
    return
  }
  await killed
  for (const result of settled) count(ends, result.status === 'fulfilled' ? 'done' : endOf(result.reason))

  const cause = await store.closed
  const { inFlight, queued, watches, transactions } = store.statistics
  const after = await Promise.allSettled([store.read('/'), store.watch('/').next(), store.transaction(() => {})])
  const again = await connect({ path: daemon.path }).catch(endOf)
  const state = [cause?.code, inFlight, queued, watches, transactions, ...after.map(end => endOf(reasonOf(end))), again]
  const expected = ['ECONNRESET', 0, 0, 0, 0, 'ECONNRESET', 'ECONNRESET', 'ECONNRESET', 'ECONNREFUSED']
  // one comparison for all runs that end well, so that the tests can still be counted
  if (JSON.stringify(state) !== JSON.stringify(expected)) t.strictSame(state, expected, `killed behind ${killAfter}`)

  await using next = await startXenstored(kind)
  await using fresh = await connect({ path: next.path })
  await fresh.write('/tool/again', 'works')
  if ((await fresh.read('/tool/again')) !== 'works') t.fail('a new connection to a new server does not work')
}

/** Everything that a connection can have under way at a time; some of it goes on until it fails. */
function manyThings(store: Xenstore, answered: () => void): Promise<unknown>[] {
  const tell = <Value>(value: Value): Value => {
    answered()
    return value
  }
  const forEver = async (step: () => Promise<unknown>): Promise<never> => {
    for (;;) tell(await step())
  }
  const work: Promise<unknown>[] = []
  for (let n = 0; n < 100; n++) {
    work.push(store.write(`/load/n${n}`, large).then(tell))
    work.push(store.read(`/load/n${n}`).then(tell))
  }
  for (let n = 0; n < 10; n++) {
    work.push(forEver(() => Promise.all([store.read(`/load/n${n}`), store.directory('/load'), store.mkdir('/load/m')])))
    work.push(
      forEver(() =>
        store.transaction(async transaction => {
          await transaction.write(`/load/t${n}`, await transaction.read(`/load/n${n}`))
        }),
      ),
    )
  }
  for (let n = 0; n < 5; n++) {
    const watch = store.watch('/load')
    work.push(forEver(async () => tell(await watch.next())))
    work.push(watch.ready)
    work.push(
      forEver(async () => {
        using another = store.watch(`/load/n${n}`)
        await another.ready
      }),
    )
  }
  work.push(store.waitUntilExists('/load/never'), store.waitForValue('/load/n0', 'never', { timeout: 120_000 }))
  return work
}

const reasonOf = (result: PromiseSettledResult<unknown>) => (result.status === 'rejected' ? result.reason : 'done')

const endOf = (error: unknown): string => (error instanceof XenstoreError ? error.code : String(error))

const count = (ends: Ends, end: string) => ends.set(end, (ends.get(end) ?? 0) + 1)

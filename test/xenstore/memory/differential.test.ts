import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { connectSocket } from '#xenlight/link/node/socket.js'
import { embeddedStore } from '#xenlight/xenstore/memory/index.js'
import { startXenstored, type Xenstored } from '../../real/xenstored.js'
import { realPart } from '../../support/real-part.js'
import { type RandomRequest, randomRequests } from './random-requests.js'
import { RawClient } from './raw-client.js'
import { tidy, transcript } from './transcript.js'

const { RUNS } = process.env
const runs = Number(RUNS ?? 60)

/** The second connection's domain, and how long a run may be: xenstored lets a guest write only so fast. */
const others = [
  [0, 120],
  [3, 40],
] as const

/** What a guest needs to do anything at all. */
const groundwork: RandomRequest[] = [
  ['WRITE', '/local/domain/3\0'],
  ['SET_PERMS', '/local/domain/3\0n3\0'],
  ['WRITE', '/a\0'],
  ['SET_PERMS', '/a\0n0\0b3\0'],
  ['WRITE', '/b\0for all'],
  ['SET_PERMS', '/b\0r0\0'],
].map(([operation, payload]) => ({ client: 0, transactionId: 0, operation, payload }) as RandomRequest)

async function ofReal({ path, domainPath }: Xenstored, guest: number, requests: RandomRequest[]): Promise<string[]> {
  const first = new RawClient(await connectSocket({ path }))
  await tidy(first)
  await first.request('INTRODUCE', '3\x001\x001\0')
  const second = new RawClient(await connectSocket({ path: guest === 0 ? path : domainPath(guest) }))
  try {
    return await transcript([first, second], requests)
  } finally {
    second.close()
    first.close()
  }
}

async function ofEmbedded(guest: number, requests: RandomRequest[]): Promise<string[]> {
  await using store = embeddedStore({ domains: [3, 4] })
  const first = new RawClient(store.duplex())
  await first.request('INTRODUCE', '3\x001\x001\0')
  return await transcript([first, new RawClient(store.duplex(guest))], requests)
}

/**
 * EIO is xenstored's own confusion, where a transaction removes what others have made below a node that it had seen before.
 * From then on it is of no use: its tree has lost nodes.
 */
function upToError(lines: string[]): string[] {
  const at = lines.findIndex(line => line.includes('"EIO'))
  return at === -1 ? lines : lines.slice(0, at)
}

const start = () => startXenstored('xenstored', { domains: [[3, 4]] })

for (const [guest, length] of others) {
  t.test(`two connections, one of them domain ${guest}'s, get the answers and events that xenstored gives`, async t => {
    const real = await realPart(t, start)
    if (!real) return
    let daemon = real
    t.teardown(() => daemon.stop())
    const errors = new Map<string, number>()
    const property = fc.asyncProperty(randomRequests(length), async requests => {
      const all = guest === 0 ? requests : [...groundwork, ...requests]
      const lines = await ofReal(daemon, guest, all)
      const expected = upToError(lines)
      if (expected.length < lines.length) {
        await daemon.stop()
        daemon = await start()
      }
      for (const line of expected) {
        const error = /: 16 "([A-Z0-9]+)/.exec(line)?.[1]
        if (error) errors.set(error, (errors.get(error) ?? 0) + 1)
      }
      const ours = await ofEmbedded(guest, all)
      const at = expected.findIndex((line, index) => ours[index] !== line)
      const before = () => expected.slice(0, at).join('\n')
      assert.equal(at, -1, `after\n${before()}\nxenstored: ${expected[at]}\nembedded:  ${ours[at]}`)
    })
    const details = await fc.check(property, { numRuns: runs, endOnFailure: true })
    if (details.failed) t.fail(`seed ${details.seed}: ${details.errorInstance}`)
    else t.pass(`${details.numRuns} sequences; errors: ${[...errors].map(pair => pair.join(' ')).join(', ')}`)
  })
}

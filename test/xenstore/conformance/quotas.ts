import type { Xenstore } from '#xenlight/xenstore/index.js'
import { parsePermissions } from '#xenlight/xenstore/permissions.js'
import { type Cases, codeOf, type Peers } from './case.js'

const valuesOfAll = 'its quota-maxsize, 2,048 bytes, is for domain 0 too'

/** A guest with a place where it may write. */
async function guestWithPlace(peers: Peers): Promise<{ domid: number; store: Xenstore }> {
  const guest = await peers.guest()
  await peers.store.mkdir(peers.path)
  await peers.store.setPermissions(peers.path, parsePermissions(`n${guest.domid}`))
  return guest
}

/** How often it goes before it is refused, and with what. */
async function untilRefused(most: number, once: (count: number) => Promise<unknown>): Promise<[number, unknown]> {
  for (let count = 0; count < most; count++) {
    const code = await codeOf(once(count))
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return [count, code]
  }
  return [most, 'no refusal']
}

export const quotas: Cases = {
  'a guest has 1,000 nodes': async (t, peers) => {
    const { store: guest } = await guestWithPlace(peers)
    // not so many in one place: the names of a node's children count as its size
    for (let n = 0; n < 10; n++) await guest.mkdir(`${peers.path}/${n}`)
    const refused = await untilRefused(1100, count => guest.mkdir(`${peers.path}/${count % 10}/n${count}`))
    t.strictSame(refused, [
      989,
      peers.differs('ENOSPC', { oxenstored: 'EQUOTA' }, 'an error that is not of the protocol'),
    ])
    await guest.rm(`${peers.path}/0/n0`)
    t.equal(await codeOf(guest.mkdir(`${peers.path}/again`)), undefined)
  },

  'a guest has 128 watches': async (t, peers) => {
    const raw = await peers.raw(await peers.introduced())
    let set = 0
    let answer = 'OK'
    for (; answer === 'OK' && set < 200; set++) answer = await raw.ask('WATCH', `/a\0token-${set}\0`)
    t.strictSame(
      [set - 1, answer],
      peers.differs([128, 'E2BIG'], { xenstored: [129, 'E2BIG'], oxenstored: [101, 'EQUOTA'] }, 'how many it allows'),
    )
    t.equal(await raw.ask('RESET_WATCHES', '\0'), 'OK')
    t.equal(await raw.ask('WATCH', '/a\0again\0'), 'OK')
  },

  'a guest has 10 transactions': async (t, peers) => {
    const raw = await peers.raw(await peers.introduced())
    const begun: string[] = []
    let answer: string
    do {
      answer = await raw.ask('TRANSACTION_START', '\0')
      begun.push(answer)
    } while (/^[0-9]+$/.test(answer) && begun.length < 20)
    const refused = [begun.length - 1, answer]
    t.strictSame(
      refused,
      peers.differs([10, 'ENOSPC'], { xenstored: [11, 'ENOSPC'], oxenstored: [11, 'EQUOTA'] }, 'how many it allows'),
    )
    t.equal(await raw.ask('TRANSACTION_END', 'F\0', Number(begun[0])), 'OK')
    t.match(await raw.ask('TRANSACTION_START', '\0'), /^[0-9]+$/)
  },

  'a node of a guest has 2,048 bytes': async (t, peers) => {
    const { store: guest } = await guestWithPlace(peers)
    const path = `${peers.path}/a`
    await guest.mkdir(path)
    let low = 0
    let high = 4000
    while (low + 1 < high) {
      const middle = (low + high) >> 1
      const code = await codeOf(guest.write(path, 'x'.repeat(middle)))
      if (code === undefined) low = middle
      else {
        t.equal(code, peers.differs('ENOSPC', { oxenstored: 'E2BIG' }, 'that is what it says'))
        high = middle
      }
    }
    t.equal(
      low,
      peers.differs(
        2047 - 24 - 8,
        { embedded: 2048 - 16 - 8, oxenstored: 2048 },
        'what counts besides the value: a header and permissions, smaller ones in later xenstoreds',
      ),
    )
  },

  'a guest has 5 permissions for a node': async (t, peers) => {
    const { domid, store: guest } = await guestWithPlace(peers)
    const path = `${peers.path}/a`
    await guest.mkdir(path)
    const entries = (count: number) => parsePermissions(Array.from({ length: count }, () => `n${domid}`).join(','))
    t.equal(await codeOf(guest.setPermissions(path, entries(5))), undefined)
    const refused = peers.differs<unknown>('ENOSPC', { oxenstored: undefined }, 'it does not count them')
    t.equal(await codeOf(guest.setPermissions(path, entries(6))), refused)
  },

  'domain 0 has no quota': async (t, peers) => {
    const { store, path } = peers
    await Promise.all(Array.from({ length: 1200 }, (_, n) => store.mkdir(`${path}/n${n}`)))
    if (peers.differs(true, { oxenstored: false }, valuesOfAll)) await store.write(`${path}/large`, 'x'.repeat(4000))
    else t.equal(await codeOf(store.write(`${path}/large`, 'x'.repeat(4000))), 'E2BIG')
    const watches = Array.from({ length: 300 }, () => store.watch(path))
    await Promise.all(watches.map(watch => watch.ready))
    for (const watch of watches) watch[Symbol.dispose]()
    t.equal(await store.read(`${path}/n1199`), '')
  },
}

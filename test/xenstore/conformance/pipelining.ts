import { type Cases, codeOf } from './case.js'

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

export const pipelining: Cases = {
  '1,000 requests at once': async (t, { store, path }) => {
    await Promise.all(numbers(1000).map(n => store.write(`${path}/n${n}`, `value ${n}`)))
    const read = await Promise.all(numbers(1000).map(n => store.read(`${path}/n${n}`)))
    t.strictSame(
      read,
      numbers(1000).map(n => `value ${n}`),
    )
  },

  'they are carried out in order': async (t, { store, path }) => {
    const seen = await Promise.all(
      numbers(300).flatMap(n => [store.write(path, String(n)).then(() => ''), store.read(path)]),
    )
    t.strictSame(
      seen.filter(value => value !== ''),
      numbers(300).map(String),
    )
  },

  'and answered in order': async (t, peers) => {
    const raw = await peers.raw()
    await Promise.all(numbers(200).map(n => raw.ask(n % 2 ? 'READ' : 'WRITE', `${peers.path}\0${n % 2 ? '' : 'x'}`)))
    t.strictSame(
      raw.order,
      numbers(200).map(n => n + 1),
    )
  },

  'errors are of their own requests': async (t, { store, path }) => {
    await store.write(`${path}/there`, 'x')
    const codes = await Promise.all(
      numbers(300).map(n => codeOf(store.read(n % 3 ? `${path}/there` : `${path}/none-${n}`))),
    )
    t.strictSame(
      codes,
      numbers(300).map(n => (n % 3 ? 'x' : 'ENOENT')),
    )
  },

  'many at once through the ring of a guest': async (t, peers) => {
    const { store, path } = peers
    const { domid, store: guest } = await peers.guest()
    await store.mkdir(path)
    await store.setPermissions(path, [
      { domid: 0, access: 'none' },
      { domid, access: 'both' },
    ])
    const value = 'x'.repeat(1500)
    await Promise.all(numbers(200).map(n => guest.write(`${path}/n${n}`, `${value}${n}`)))
    t.strictSame(
      await Promise.all(numbers(200).map(n => guest.read(`${path}/n${n}`))),
      numbers(200).map(n => `${value}${n}`),
    )
  },

  'several connections at once': async (t, peers) => {
    const stores = [peers.store, await peers.another(), await peers.another(), await peers.another()]
    await Promise.all(
      stores.map((store, index) =>
        Promise.all(numbers(250).map(n => store.write(`${peers.path}/${index}/n${n}`, String(n)))),
      ),
    )
    for (const index of stores.keys()) t.equal((await peers.store.directory(`${peers.path}/${index}`)).length, 250)
  },

  'one that is given up does not shift the others': async (t, { store, path }) => {
    await store.write(path, 'x')
    const controller = new AbortController()
    const given = store.read(path, { signal: controller.signal })
    const others = numbers(10).map(() => store.read(path))
    controller.abort()
    t.equal(await codeOf(given), 'ECANCELED')
    t.strictSame(
      await Promise.all(others),
      numbers(10).map(() => 'x'),
    )
    t.equal(store.statistics.late, 1)
  },
}

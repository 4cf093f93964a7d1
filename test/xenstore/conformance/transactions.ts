import { type Cases, codeOf } from './case.js'

const noTransaction = 'that is what it says of a transaction that it does not know'

export const transactions: Cases = {
  'nobody sees it before its end, everybody after': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    await store.write(`${path}/old`, '1')
    const { value, attempts } = await store.transaction(async transaction => {
      await transaction.write(`${path}/old`, '2')
      await transaction.write(`${path}/new`, '3')
      t.equal(await transaction.read(`${path}/old`), '2')
      t.strictSame((await transaction.directory(path)).sort(), ['new', 'old'])
      for (const outside of [store, another]) {
        t.equal(await outside.read(`${path}/old`), '1')
        t.equal(await outside.readIfPresent(`${path}/new`), undefined)
        t.strictSame(await outside.directory(path), ['old'])
      }
      return 'done'
    })
    t.strictSame([value, attempts], ['done', 1])
    t.strictSame([await another.read(`${path}/old`), await another.read(`${path}/new`)], ['2', '3'])
  },

  'a body that throws changes nothing': async (t, { store, path }) => {
    const thrown = new Error('no')
    await t.rejects(
      store.transaction(async transaction => {
        await transaction.write(path, 'x')
        throw thrown
      }),
      thrown,
    )
    t.equal(await store.readIfPresent(path), undefined)
  },

  'a failed request fails the transaction': async (t, { store, path }) => {
    const failed = store.transaction(async transaction => {
      await transaction.write(`${path}/a`, 'x')
      await transaction.read(`${path}/none`)
    })
    await t.rejects(failed, { code: 'ENOENT', path: `${path}/none` })
    t.equal(await store.readIfPresent(path), undefined)
  },

  'a failed request that is taken care of does not': async (t, { store, path }) => {
    await store.transaction(async transaction => {
      t.equal(await codeOf(transaction.read(`${path}/none`)), 'ENOENT')
      t.equal(await transaction.readIfPresent(`${path}/none`), undefined)
      await transaction.write(`${path}/a`, 'x')
    })
    t.equal(await store.read(`${path}/a`), 'x')
  },

  'without any request': async (t, { store }) => {
    t.strictSame(await store.transaction(() => 1), { value: 1, attempts: 1 })
  },

  'what another changed meanwhile makes it run again': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    await store.write(path, '1')
    const seen: string[] = []
    const { attempts } = await store.transaction(async transaction => {
      const value = await transaction.read(path)
      seen.push(value)
      if (seen.length < 4) await another.write(path, String(Number(value) * 10))
      await transaction.write(path, `${value}+`)
    })
    t.strictSame([attempts, seen], [4, ['1', '10', '100', '1000']])
    t.equal(await another.read(path), '1000+')
  },

  'of what was only read too': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    await store.write(`${path}/read`, '1')
    await store.write(`${path}/written`, '1')
    const { attempts } = await store.transaction(async transaction => {
      const value = await transaction.read(`${path}/read`)
      if (value === '1') await another.write(`${path}/read`, '2')
      await transaction.write(`${path}/written`, value)
    })
    t.equal(attempts, 2)
    t.equal(await store.read(`${path}/written`), '2')
  },

  'a node found missing that is made meanwhile': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    await store.mkdir(path)
    const { attempts, value } = await store.transaction(async transaction => {
      const found = await transaction.readIfPresent(`${path}/lock`)
      if (found === undefined) await another.write(`${path}/lock`, 'theirs')
      await transaction.write(`${path}/mine`, found ?? 'none')
      return found
    })
    t.strictSame([attempts, value], [2, 'theirs'])
  },

  'a list of children that changed meanwhile': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    await store.mkdir(`${path}/list/a`)
    const { attempts } = await store.transaction(async transaction => {
      const list = await transaction.directory(`${path}/list`)
      if (list.length === 1) await another.mkdir(`${path}/list/b`)
      await transaction.write(`${path}/count`, String(list.length))
    })
    t.equal(attempts, 2)
    t.equal(await store.read(`${path}/count`), '2')
  },

  'a node removed meanwhile': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    await store.write(`${path}/a/b`, '1')
    const { attempts, value } = await store.transaction(async transaction => {
      const found = await transaction.readIfPresent(`${path}/a/b`)
      if (found === '1') await another.rm(`${path}/a`)
      await transaction.write(`${path}/c`, found ?? 'none')
      return found
    })
    t.strictSame([attempts, value], [2, undefined])
    t.equal(await store.readIfPresent(`${path}/a`), undefined)
  },

  'changes elsewhere are no conflict': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    await store.mkdir(`${path}/mine`)
    await store.mkdir(`${path}/theirs`)
    const { attempts } = await store.transaction(async transaction => {
      await transaction.write(`${path}/mine/a`, 'x')
      await another.write(`${path}/theirs/a`, 'y')
    })
    t.equal(attempts, 1)
    t.strictSame([await store.read(`${path}/mine/a`), await store.read(`${path}/theirs/a`)], ['x', 'y'])
  },

  'two that increment the same counter': async (t, peers) => {
    const { store, path } = peers
    const stores = [store, await peers.another(), await peers.another()]
    await store.write(path, '0')
    const one = async (from: (typeof stores)[number]) => {
      for (let n = 0; n < 20; n++) {
        await from.transaction(
          async transaction => transaction.write(path, String(Number(await transaction.read(path)) + 1)),
          { attempts: 1000 },
        )
      }
    }
    await Promise.all(stores.map(one))
    t.equal(await store.read(path), '60')
  },

  'the last attempt fails with EAGAIN': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    await store.write(path, '0')
    let ran = 0
    const failed = store.transaction(
      async transaction => {
        await transaction.write(path, await transaction.read(path))
        await another.write(path, String(++ran))
      },
      { attempts: 3 },
    )
    t.equal(await codeOf(failed), 'EAGAIN')
    t.equal(ran, 3)
    t.equal(await store.read(path), '3')
  },

  'a body may send many requests at once': async (t, { store, path }) => {
    const names = Array.from({ length: 200 }, (_, n) => `n${n}`)
    await store.transaction(async transaction => {
      await Promise.all(names.map(name => transaction.write(`${path}/${name}`, name)))
      t.strictSame(await Promise.all(names.map(name => transaction.read(`${path}/${name}`))), names)
    })
    t.strictSame((await store.directory(path)).sort(), names.toSorted())
  },

  'many open at a time on one connection': async (t, { store, path }) => {
    let begun = 0
    let go!: () => void
    const all = new Promise<void>(resolve => {
      go = resolve
    })
    const names = Array.from({ length: 20 }, (_, n) => `n${n}`)
    await store.mkdir(path)
    for (const name of names) await store.mkdir(`${path}/${name}`)
    const results = await Promise.all(
      names.map(name =>
        store.transaction(async transaction => {
          await transaction.write(`${path}/${name}`, name)
          if (++begun === names.length) go()
          await all
        }),
      ),
    )
    t.strictSame(
      results.map(({ attempts }) => attempts),
      names.map(() => 1),
    )
  },

  'mkdir, rm and what is below': async (t, { store, path }) => {
    await store.write(`${path}/a/b`, 'x')
    await store.transaction(async transaction => {
      await transaction.rm(`${path}/a`)
      t.equal(await transaction.readIfPresent(`${path}/a/b`), undefined)
      await transaction.mkdir(`${path}/a/c`)
      t.strictSame(await transaction.directory(`${path}/a`), ['c'])
      t.equal(await store.read(`${path}/a/b`), 'x')
    })
    t.strictSame(await store.directory(`${path}/a`), ['c'])
  },

  'numbers that are none of a transaction': async (t, peers) => {
    const raw = await peers.raw()
    const id = await raw.begin()
    const none = peers.differs('ENOENT', { oxenstored: 'EIO' }, noTransaction)
    t.equal(await raw.ask('READ', '/\0', id + 1000), none)
    t.equal(await raw.ask('TRANSACTION_END', 'T\0', id + 1000), none)
    t.equal(await raw.ask('TRANSACTION_END', 'T\0', id), 'OK')
    t.equal(await raw.ask('TRANSACTION_END', 'T\0', id), none, 'ended already')
    t.equal(await raw.ask('WRITE', `${peers.path}\0x`, id), none)
    t.equal(await raw.ask('TRANSACTION_END', 'T\0', 0), 'ENOENT')
  },

  'one connection cannot use the transaction of another': async (t, peers) => {
    const one = await peers.raw()
    const two = await peers.raw()
    const id = await one.begin()
    t.equal(await two.ask('READ', '/\0', id), peers.differs('ENOENT', { oxenstored: 'EIO' }, noTransaction))
  },

  'an end is T or F': async (t, peers) => {
    const raw = await peers.raw()
    const id = await raw.begin()
    t.equal(await raw.ask('TRANSACTION_END', 'x\0', id), 'EINVAL')
  },

  'no transaction in a transaction': async (t, peers) => {
    const raw = await peers.raw()
    const id = await raw.begin()
    t.equal(await raw.ask('TRANSACTION_START', '\0', id), 'EBUSY')
  },

  'F drops it': async (t, peers) => {
    const raw = await peers.raw()
    const id = await raw.begin()
    t.equal(await raw.ask('WRITE', `${peers.path}\0x`, id), 'OK')
    t.equal(await raw.ask('TRANSACTION_END', 'F\0', id), 'OK')
    t.equal(await peers.store.readIfPresent(peers.path), undefined)
  },

  'a connection that closes takes its transactions along': async (t, peers) => {
    const raw = await peers.raw()
    const id = await raw.begin()
    t.equal(await raw.ask('WRITE', `${peers.path}\0x`, id), 'OK')
    raw.close()
    await raw.ended
    t.equal(await peers.store.readIfPresent(peers.path), undefined)
  },
}

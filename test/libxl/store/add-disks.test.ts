import assert from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { addDisk, addDisks, listDisks, parseDisk } from 'xenlight'
import { connect, type Duplex, openXenstore, type Xenstore } from 'xenlight/xenstore'
import { destroyDevice } from '#xenlight/libxl/store/destroy-device.js'
import { embeddedStore } from '#xenlight/xenstore/memory/index.js'
import { startXenstored } from '../../real/xenstored.js'
import {
  hostWhere,
  listened,
  populate,
  refusing,
  type SeenRequest,
  storeWith,
  treeAt,
} from '../../support/disk-store.js'
import { stage } from '../../support/played-disk.js'
import { realPart } from '../../support/real-part.js'

const host = hostWhere(path => (path.startsWith('/missing') ? 'missing' : 'block'))
const options = { domid: 11, host, wait: false }
const many = (count: number) => Array.from({ length: count }, (_, i) => parseDisk(`vdev=d${i}p0,target=/dev/${i}`))
const writes = (seen: readonly SeenRequest[]): SeenRequest[] =>
  seen.filter(([operation]) => !['READ', 'GET_DOMAIN_PATH', 'DIRECTORY', 'GET_PERMS'].includes(operation))

async function attachesMany(t: Test, store: Xenstore): Promise<void> {
  const disks = many(100)
  const attached = await addDisks(store, disks, options)
  t.strictSame(
    attached.map(({ disk, attempts }) => [disk.pdevPath, attempts]),
    disks.map(disk => [disk.pdevPath, 1]),
    'they come in their order and do not disturb each other',
  )
  const listed = await listDisks(store, 11)
  t.strictSame(listed.map(({ vdev }) => vdev).sort(), disks.map(({ vdev }) => vdev).sort())
  for (const { disk, device } of attached) {
    t.equal(await store.read(`${device.paths.backend}/params`), disk.pdevPath)
  }
}

t.test('a hundred disks come in one batch', async t => {
  await attachesMany(t, await storeWith(t))
})

for (const kind of ['xenstored', 'oxenstored'] as const) {
  t.test(`a hundred disks come in one batch: ${kind}`, async t => {
    const daemon = await realPart(t, () => startXenstored(kind))
    if (!daemon) return
    await using _ = daemon
    await using store = await connect({ path: daemon.path })
    await populate(store, [{ domid: 11, type: 'pv' }])
    await attachesMany(t, store)
  })
}

/** Lets what was written go at the end of the turn of the event loop: what goes together is one round trip. */
function countingTrips(duplex: Duplex, trips: number[]): Duplex {
  let held: Uint8Array[] = []
  const release = () => {
    trips.push(held.length)
    for (const packet of held.splice(0)) duplex.write(packet)
  }
  return {
    start: reader => duplex.start(reader),
    close: () => duplex.close(),
    write: packet => {
      if (held.length === 0) setImmediate(release)
      held = [...held, packet.slice()]
    },
  }
}

t.test('a disk takes four round trips, each further one of a batch two more', async t => {
  for (const count of [1, 2, 10]) {
    const trips: number[] = []
    const store = await storeWith(t, undefined, duplex => countingTrips(duplex, trips))
    await addDisks(store, many(count), options)
    const requests = 52
    const rest = Array.from({ length: count - 1 }, () => [2, requests]).flat()
    // a watch for each disk goes with the first transaction's start
    t.strictSame(trips, [3, count + 1, requests, ...rest, 1], `${count} disks`)
  }
})

t.test('no disks at all', async t => {
  t.strictSame(await addDisks(await storeWith(t), [], options), [])
})

t.test('nothing is written where a disk is refused, and the error names it', async t => {
  const seen: SeenRequest[] = []
  const store = await storeWith(t, undefined, duplex => listened(duplex, seen))
  const add = (...specs: string[]) =>
    addDisks(
      store,
      specs.map(spec => parseDisk(spec)),
      options,
    )
  await t.rejects(add('vdev=xvda,target=/dev/a', 'vdev=xvdb,target=/missing/b', 'vdev=nothing,target=/dev/c'), {
    rc: -6,
    message:
      'disk 2 of 3 (xvdb): Disk vdev=xvdb failed to stat: /missing/b: No such file or directory; ' +
      'disk 3 of 3 (nothing): Invalid or unsupported virtual disk identifier nothing; nothing was written',
  })
  await t.rejects(add('vdev=xvda,target=/dev/a', 'vdev=d0p0,target=/dev/b'), {
    rc: -17,
    message: 'device already exists in xenstore: d0p0 is xvda',
  })
  await t.rejects(add('vdev=xvda,target=/dev/a', 'vdev=xvda,target=/dev/b'), {
    rc: -17,
    message: 'device already exists in xenstore: xvda is given twice',
  })
  t.strictSame(writes(seen), [])
})

t.test('when one cannot be written, the others are taken away again', async t => {
  const store = await storeWith(t)
  const there = await addDisk(store, parseDisk('vdev=xvdb,target=/dev/there'), options)
  const before = await treeAt(store, ['/'])
  const specs = ['vdev=xvda,target=/dev/a', 'vdev=xvdb,target=/dev/b', 'vdev=xvdc,target=/dev/c'].map(spec =>
    parseDisk(spec),
  )
  await t.rejects(addDisks(store, specs, options), {
    rc: -17,
    message: 'disk 2 of 3 (xvdb): device already exists in xenstore: 51728 of domain 11; all changes were rolled back',
  })
  t.strictSame(await treeAt(store, ['/']), before)
  t.equal(await store.read(`${there.device.paths.backend}/params`), '/dev/there')

  await t.rejects(addDisks(store, specs, { ...options, libxlExact: true }), {
    rc: -17,
    message: 'disk 2 of 3 (xvdb): device already exists in xenstore: 51728 of domain 11; the nodes of the others stay',
  })
  t.strictSame((await listDisks(store, 11)).map(({ vdev }) => vdev).sort(), ['xvda', 'xvdb', 'xvdc'])
})

t.test('what cannot be taken away again is told', async t => {
  let isRefused = false
  const store = await storeWith(t, undefined, duplex =>
    refusing(duplex, ([operation, payload]) => {
      if (payload.endsWith('/51728/params /dev/b')) isRefused = true
      if (payload.endsWith('/51728/params /dev/b')) return 'ENOSPC'
      return isRefused && operation === 'TRANSACTION_START' ? 'EBUSY' : undefined
    }),
  )
  const specs = ['vdev=xvda,target=/dev/a', 'vdev=xvdb,target=/dev/b'].map(spec => parseDisk(spec))
  await t.rejects(addDisks(store, specs, options), {
    rc: -3,
    message:
      /^disk 2 of 2 \(xvdb\): the store refuses the disk: WRITE \/\S+: ENOSPC .*; the rollback is incomplete: xvda: .*EBUSY/,
  })
})

async function attachTogether(t: Test, stores: readonly Xenstore[]): Promise<void> {
  await populate(stores[0]!, [{ domid: 11, type: 'pv' }])
  const numbers = (nth: number) => Array.from({ length: 10 }, (_, i) => nth * 10 + i)
  const batches = stores.map((store, nth) =>
    addDisks(
      store,
      numbers(nth).map(n => parseDisk(`vdev=d${n}p0,target=/dev/${n}`)),
      options,
    ),
  )
  const attached = (await Promise.all(batches)).flat()
  t.equal(new Set(attached.map(({ device }) => device.devid)).size, stores.length * 10)
  const listed = await listDisks(stores[0]!, 11)
  t.strictSame(listed.map(({ disk }) => disk?.pdevPath).sort(), attached.map(({ disk }) => disk.pdevPath).sort())

  const same = await Promise.allSettled(
    stores.map(store => addDisk(store, parseDisk('vdev=xvdzz,target=/dev/x'), options)),
  )
  t.equal(same.filter(({ status }) => status === 'fulfilled').length, 1, 'one device is attached once')
  for (const result of same) if (result.status === 'rejected') t.match(result.reason, { rc: -17 })
}

t.test('others who attach disks at the same time', async t => {
  const embedded = embeddedStore({ domains: [11] })
  t.teardown(() => embedded.close())
  await attachTogether(
    t,
    Array.from({ length: 4 }, () => openXenstore(embedded.duplex())),
  )
})

for (const kind of ['xenstored', 'oxenstored'] as const) {
  t.test(`others who attach disks at the same time: ${kind}`, async t => {
    const daemon = await realPart(t, () => startXenstored(kind))
    if (!daemon) return
    await using _ = daemon
    const stores = await Promise.all(Array.from({ length: 3 }, () => connect({ path: daemon.path })))
    await attachTogether(t, stores)
    await Promise.all(stores.map(store => store.close()))
  })
}

t.test('an aborted signal', async t => {
  const store = await storeWith(t)
  const before = await treeAt(store, ['/'])
  const aborted = AbortSignal.abort(new Error('enough'))
  await t.rejects(addDisk(store, parseDisk('vdev=xvda,target=/dev/a'), { ...options, signal: aborted }), {
    rc: -22,
    code: 'ERROR_ABORTED',
    message: 'attaching a disk to domain 11 was aborted',
    cause: { message: 'enough' },
  })
  t.strictSame(await treeAt(store, ['/']), before)
})

t.test('at whatever request the signal is aborted, all disks are there or none', async t => {
  const seen: SeenRequest[] = []
  const specs = ['vdev=xvda,target=/dev/a', 'vdev=xvdb,target=/dev/b'].map(spec => parseDisk(spec))
  const whole = await storeWith(t, undefined, duplex => listened(duplex, seen))
  await addDisks(whole, specs, options)
  const devices = ['/libxl/11/device', '/local/domain/11/device', '/local/domain/0/backend']
  const complete = await treeAt(whole, devices)
  let outcomes = 0
  for (let at = 1; at <= seen.length; at += at > 8 && at < seen.length - 8 ? 7 : 1) {
    const controller = new AbortController()
    let count = 0
    const store = await storeWith(t, undefined, duplex => ({
      start: reader => duplex.start(reader),
      close: () => duplex.close(),
      write: packet => {
        duplex.write(packet)
        if (++count === at) setImmediate(() => controller.abort())
      },
    }))
    const result = await addDisks(store, specs, { ...options, signal: controller.signal }).catch(() => undefined)
    const left = await treeAt(store, devices)
    if (result === undefined)
      t.notOk(
        Object.keys(left).some(path => /\/51(712|728)/.test(path)),
        `none, at ${at}`,
      )
    else t.strictSame(left, complete, `both, at ${at}`)
    if (result === undefined) outcomes++
  }
  t.ok(outcomes > 0, `${outcomes} were given up`)
})

t.test('given up after another was first with the device: his disk is let alone', async t => {
  const { embedded, store } = await stage(t)
  const mine = embedded.connect()
  const controller = new AbortController()
  let attempts = 0
  const transaction: Xenstore['transaction'] = (body, options) =>
    mine.transaction(async nodes => {
      if (++attempts === 2) controller.abort()
      const value = await body(nodes)
      await addDisk(store, parseDisk('vdev=xvda,target=/dev/his'), { domid: 11, host, wait: false })
      return value
    }, options)
  const overtaken = new Proxy(mine, {
    get: (target, key) => (key === 'transaction' ? transaction : Reflect.get(target, key).bind(target)),
  })
  const { signal } = controller
  await t.rejects(addDisk(overtaken, parseDisk('vdev=xvda,target=/dev/mine'), { ...options, signal }), {
    code: 'ERROR_ABORTED',
    message: 'attaching a disk to domain 11 was aborted',
  })
  t.equal(attempts, 2)
  t.match(await listDisks(store, 11), [{ vdev: 'xvda', disk: { pdevPath: '/dev/his' } }])
})

t.test('given up during a commit that comes too late: the other’s disk is let alone', async t => {
  const { embedded, store } = await stage(t)
  const duplex = embedded.duplex()
  const controller = new AbortController()
  let held: Uint8Array[] | undefined
  let overtaken = false
  const overtake = async () => {
    overtaken = true
    held = []
    await addDisk(store, parseDisk('vdev=xvda,target=/dev/his'), options)
    controller.abort()
    for (const packet of held.splice(0)) duplex.write(packet)
    held = undefined
  }
  const mine = openXenstore({
    start: reader => duplex.start(reader),
    close: () => duplex.close(),
    write: packet => {
      if (packet[0] === 7 && !overtaken) void overtake()
      if (held === undefined) duplex.write(packet)
      else held.push(packet)
    },
  })
  const { signal } = controller
  const adding = addDisk(mine, parseDisk('vdev=xvda,target=/dev/mine'), { ...options, signal })
  await t.rejects(adding, { code: 'ERROR_ABORTED', message: 'attaching a disk to domain 11 was aborted' })
  t.match(await listDisks(store, 11), [{ vdev: 'xvda', disk: { pdevPath: '/dev/his' } }])
})

t.test('what is attached and taken away leaves the store as it was', async t => {
  const store = await storeWith(t)
  await addDisk(store, parseDisk('vdev=xvda,target=/dev/first'), options)
  const before = await treeAt(store, ['/'])
  const places = fc.uniqueArray(fc.integer({ min: 1, max: 2000 }), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(places, async numbers => {
      const disks = numbers.map(n => parseDisk(`vdev=d${n}p0,format=${n % 2 ? 'raw' : 'qcow2'},target=/dev/${n}`))
      const attached = await addDisks(store, disks, options)
      assert.equal((await listDisks(store, 11)).length, numbers.length + 1)
      await Promise.all(attached.map(({ device }) => destroyDevice(store, device)))
      assert.deepEqual(await treeAt(store, ['/']), before)
    }),
    { numRuns: 50 },
  )
  t.pass()
})

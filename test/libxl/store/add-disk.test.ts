import t, { type Test } from 'tap'
import { addDisk, type DomainType, parseDisk, toLibxlJson } from 'xenlight'
import { connect, openXenstore, type Xenstore } from 'xenlight/xenstore'
import { destroyDevice } from '#xenlight/libxl/store/destroy-device.js'
import { embeddedStore, type Quotas } from '#xenlight/xenstore/memory/index.js'
import { startXenstored } from '../../real/xenstored.js'
import { type Attachment, attachments } from '../../support/attachments.js'
import {
  hostWhere,
  listened,
  populate,
  refusing,
  type SeenRequest,
  storeWith,
  treeAt,
} from '../../support/disk-store.js'
import { goldenRows } from '../../support/golden.js'
import { realPart } from '../../support/real-part.js'

const guests = [
  { domid: 11, type: 'pv' },
  { domid: 12, type: 'hvm' },
  { domid: 13, type: 'pvh' },
  { domid: 14, type: 'pv', deviceModel: false },
] as const
const blocks = hostWhere(() => 'block')
const own = '/libxl/11/device/vbd/51712'
const roots = ['/libxl/11/device', '/local/domain/11/device', '/local/domain/0/backend', '/local/domain/7/backend']

interface Wire {
  type: DomainType
  spec: string
  requests: SeenRequest[]
}

/** libxl reads these within the transaction, though not as a part of it; they are asked for once, before. */
const isFact = ([operation, payload]: SeenRequest): boolean => operation === 'READ' && /\/(?:type|name)$/.test(payload)
const between = (requests: SeenRequest[]): SeenRequest[] => {
  const start = requests.findIndex(([operation]) => operation === 'TRANSACTION_START')
  const end = requests.findIndex(([operation]) => operation === 'TRANSACTION_END')
  return requests.slice(start, end + 1).filter(request => !isFact(request))
}

t.test("what is sent is what libxl sends, in libxl's order", async t => {
  const host = hostWhere(path => (path === '/nonexistent' ? 'missing' : path.startsWith('/dev/') ? 'block' : 'file'))
  for (const { type, spec, requests } of goldenRows<Wire>('wire.jsonl')) {
    const domid = Number(/domain\/(\d+)\/image/.exec(requests.join(' '))?.[1])
    const seen: SeenRequest[] = []
    const store = await storeWith(t, [{ domid, type }], duplex => listened(duplex, seen))
    const adding = addDisk(store, parseDisk(spec), { domid, host, wait: false })
    if (spec.includes('/nonexistent')) {
      await t.rejects(adding, {
        rc: -6,
        message: 'Disk vdev=xvda failed to stat: /nonexistent: No such file or directory',
      })
      t.strictSame(between(seen), [], 'no transaction for a disk that is refused before')
    } else {
      await adding
      t.strictSame(between(seen), between(requests), `${type} ${spec}`)
    }
    const before = requests.slice(
      0,
      requests.findIndex(([operation]) => operation === 'TRANSACTION_START'),
    )
    for (const read of before)
      t.strictSame(
        seen.filter(one => one.join() === read.join()),
        [read],
        'asked once',
      )
  }
})

async function attachesAll(t: Test, store: Xenstore): Promise<void> {
  for (const row of attachments) {
    const { spec, domid, rc } = row
    const host = hostWhere(() => row.target)
    const what = `${row.type} ${row.target} ${spec}`
    const adding = addDisk(store, parseDisk(spec), { domid, host, wait: false, libxlExact: true })
    if (rc !== 0) {
      await t.rejects(adding, { rc, message: messageOf(row) }, what)
      continue
    }
    const { disk, device, attempts } = await adding
    t.strictSame(JSON.parse(toLibxlJson(disk)), row.after, `record: ${what}`)
    t.strictSame(await treeAt(store, Object.values(device.paths)), row.nodes, `nodes: ${what}`)
    t.equal(attempts, 1)
    t.equal(host.emptied.length, JSON.stringify(row.nodes).includes('/run/xen/empty-cdrom') ? 1 : 0)
    await destroyDevice(store, device)
  }
}

const messageOf = ({ log: [first] }: Attachment): string | RegExp =>
  first === undefined ? /./ : first.replace(/^error: \w+: (?:Domain \d+:)?/, '')

t.test('the embedded store holds the trees that libxl wrote', async t => {
  await attachesAll(t, await storeWith(t, guests))
})

for (const kind of ['xenstored', 'oxenstored'] as const) {
  t.test(`${kind} holds the trees that libxl wrote`, async t => {
    const daemon = await realPart(t, () => startXenstored(kind))
    if (!daemon) return
    await using _ = daemon
    await using store = await connect({ path: daemon.path })
    await populate(store, guests)
    await attachesAll(t, store)
  })
}

t.test('an image that QEMU could not open is refused, other disks are attached as libxl does', async t => {
  const store = await storeWith(t, guests)
  let refused = 0
  for (const row of attachments.filter(row => row.rc === 0)) {
    const adding = addDisk(store, parseDisk(row.spec), {
      domid: row.domid,
      host: hostWhere(() => row.target),
      wait: false,
    })
    const isOwn = JSON.stringify(row.nodes).includes('/local/domain/0/backend/qdisk')
    const after = row.after as { pdev_path?: string; format?: string }
    const isFile = isOwn && after.format !== 'empty' && after.pdev_path?.startsWith('/')
    if (isFile && (row.target === 'missing' || row.target === 'dir')) {
      const message = /^Disk vdev=\S+: QEMU cannot open the image \/.*: (?:No such file or directory|Is a directory)$/
      await t.rejects(adding, { rc: -6, message }, row.spec)
      refused++
    } else {
      const { device } = await adding
      t.strictSame(await treeAt(store, Object.values(device.paths)), row.nodes, row.spec)
      await destroyDevice(store, device)
    }
  }
  t.ok(refused > 10, `${refused} were refused`)
})

t.test('a device that exists is left as it is', async t => {
  const store = await storeWith(t)
  await addDisk(store, parseDisk('vdev=xvda,target=/dev/a'), { domid: 11, host: blocks, wait: false })
  const before = await treeAt(store, ['/'])
  for (const libxlExact of [false, true]) {
    const again = addDisk(store, parseDisk('vdev=d0p0,target=/dev/b'), {
      domid: 11,
      host: blocks,
      wait: false,
      libxlExact,
    })
    await t.rejects(again, {
      rc: -17,
      code: 'ERROR_DEVICE_EXISTS',
      message: /^device already exists in xenstore: \d+ of domain 11$/,
    })
  }
  t.strictSame(await treeAt(store, ['/']), before)
})

t.test('whatever request the store refuses, nothing of the disk is left', async t => {
  const seen: SeenRequest[] = []
  const spec = 'vdev=xvda,target=/dev/a'
  const plain = await storeWith(t, undefined, duplex => listened(duplex, seen))
  await addDisk(plain, parseDisk(spec), { domid: 11, host: blocks, wait: false })
  for (const [operation, payload] of between(seen).slice(2, -1)) {
    const [path] = payload.split(' ')
    const store = await storeWith(t, undefined, duplex =>
      refusing(duplex, request => (request.join() === `${operation},${payload}` ? 'ENOSPC' : undefined)),
    )
    const before = await treeAt(store, ['/'])
    const adding = addDisk(store, parseDisk(spec), { domid: 11, host: blocks, wait: false })
    if (operation === 'GET_DOMAIN_PATH') await t.rejects(adding, { code: 'ENOSPC' })
    else
      await t.rejects(adding, {
        rc: -3,
        message: `the store refuses the disk: ${operation} ${path}: ENOSPC (a quota of this domain is used up)`,
        cause: { name: 'XenstoreError', code: 'ENOSPC', operation, path },
      })
    t.strictSame(await treeAt(store, ['/']), before, `${operation} ${payload}`)
  }
})

t.test('a client that may not do it all, or not so much, leaves nothing', async t => {
  const refusals: [quotas: Partial<Quotas>, message: RegExp][] = [
    [{}, /^the store refuses the disk: SET_PERMS \/local\/domain\/11\/device\/vbd\/51712: (?:EPERM|EACCES)/],
    [{ nodes: 4 }, /^the store refuses the disk: WRITE \/libxl\/11\/device\/vbd\/51712\/backend: ENOSPC/],
  ]
  for (const [quotas, message] of refusals) {
    const embedded = embeddedStore({ quotas, domains: [7, 11] })
    t.teardown(() => embedded.close())
    const toolstack = openXenstore(embedded.duplex())
    await populate(toolstack, [{ domid: 11, type: 'pv' }])
    for (const path of [
      '/libxl',
      '/libxl/11',
      '/libxl/11/type',
      '/local/domain/11',
      '/local/domain/11/image/device-model-pid',
    ]) {
      await toolstack.setPermissions(path, [
        { domid: 0, access: 'none' },
        { domid: 7, access: 'both' },
      ])
    }
    const before = await treeAt(toolstack, ['/'])
    const limited = openXenstore(embedded.duplex(7))
    const disk = parseDisk('vdev=xvda,target=/dev/a')
    await t.rejects(addDisk(limited, disk, { domid: 11, host: blocks, wait: false }), { rc: -3, message })
    t.strictSame(await treeAt(toolstack, ['/']), before)
  }
})

t.test('with libxlExact, what came before a refused request stays, and no error is told', async t => {
  const refuse = `${own}/params`
  const store = await storeWith(t, undefined, duplex =>
    refusing(duplex, ([operation, payload]) =>
      operation === 'WRITE' && payload.startsWith(refuse) ? 'ENOSPC' : undefined,
    ),
  )
  const { attempts } = await addDisk(store, parseDisk('vdev=xvda,target=/dev/a'), {
    domid: 11,
    host: blocks,
    wait: false,
    libxlExact: true,
  })
  t.equal(attempts, 1)
  t.strictSame(Object.keys(await treeAt(store, ['/libxl/11/device'])).sort(), [
    '/libxl/11/device',
    '/libxl/11/device/vbd',
    own,
    `${own}/backend`,
    `${own}/frontend`,
  ])
  t.equal(await store.read('/local/domain/0/backend/vbd/11/51712/specification'), 'xen', 'the request before it')
})

t.test('a backend domain that does not exist', async t => {
  const daemon = await realPart(t, () => startXenstored('xenstored', { domains: [[7, 14]] }))
  if (!daemon) return
  await using _ = daemon
  await using store = await connect({ path: daemon.path })
  await populate(store, guests)
  const before = await treeAt(store, roots)
  const disk = parseDisk('backend=99,vdev=xvda,target=/dev/a')
  const options = { domid: 11, host: blocks, wait: false }
  await t.rejects(addDisk(store, disk, options), {
    rc: -3,
    message: /the store refuses the disk: SET_PERMS \/.*: ENOENT/,
  })
  t.strictSame(await treeAt(store, roots), before, 'nothing is left')
  await addDisk(store, disk, { ...options, libxlExact: true })
  t.equal(await store.read(`${own}/backend`), '/local/domain/99/backend/vbd/11/51712', 'libxl leaves half a disk')
})

t.test('the guest', async t => {
  const store = await storeWith(t, guests)
  const add = (spec: string, options: object) =>
    addDisk(store, parseDisk(spec), { domid: 11, host: blocks, wait: false, ...options })
  await t.rejects(add('vdev=xvda,target=/dev/a', { domid: 99 }), { rc: -3, message: 'domain 99 does not exist' })
  await t.rejects(add('vdev=xvda,target=/dev/a', { domid: 99, domainType: 'pv' }), {
    message: 'domain 99 does not exist',
  })
  await t.rejects(add('vdev=xvda,target=/dev/a', { domid: 7 }), {
    rc: -3,
    message: 'the type of domain 7 is unknown: there is no /libxl/7/type; give it as domainType',
  })
  await store.write('/libxl/7/type', '__proto__')
  await t.rejects(add('vdev=xvda,target=/dev/a', { domid: 7 }), { message: /\/libxl\/7\/type is "__proto__"/ })
  t.match(await add('vdev=xvda,target=/dev/a', { domid: 7, domainType: 'pvh' }), { device: { domid: 7 } })

  await t.rejects(add('backendtype=qdisk,vdev=xvdb,target=/dev/a', { domid: 14 }), {
    rc: -3,
    message: 'device model required but not running',
  })
  t.match(
    await add('format=qcow2,vdev=xvdb,target=/dev/a', { domid: 14 }),
    { disk: { backend: 'qdisk' } },
    'not asked for',
  )
  const automatic = { domid: 14, wait: true } as const
  await t.rejects(add('format=qcow2,vdev=xvde,target=/dev/a', automatic), {
    rc: -3,
    message: 'device model required but not running: xvde is for QEMU, which the guest was started without',
  })
  t.match(await add('format=qcow2,vdev=xvde,target=/dev/a', { ...automatic, libxlExact: true }), { attempts: 1 })
  t.match(await add('backendtype=qdisk,backend=7,vdev=xvdc,target=/dev/a', { domid: 11 }), {
    disk: { backendDomid: 7 },
  })
  await store.write('/local/domain/14/image/device-model-domid', '15')
  t.match(await add('backendtype=qdisk,vdev=xvdc,target=/dev/a', { domid: 14 }), { disk: { backend: 'qdisk' } })

  t.match(await add('backend=storage,vdev=xvdd,target=/dev/a', {}), { disk: { backendDomid: 7 } })
  t.match(await add('backend=Domain-0,vdev=xvde,target=/dev/a', {}), { disk: { backendDomid: 0 } })
  await store.rm('/local/domain/0/name')
  t.match(await add('backend=Domain-0,vdev=xvdg,target=/dev/a', {}), { disk: { backendDomid: 0 } })
  await store.write('/local/domain/14/name', 'storage')
  t.match(await add('backend=storage,vdev=xvdh,target=/dev/a', {}), { disk: { backendDomid: 7 } }, 'the lower number')
  await t.rejects(add('backend=nobody,vdev=xvdf,target=/dev/a', {}), {
    rc: -6,
    message: 'backend domain "nobody" not found',
  })
  await t.rejects(add('backend=__proto__,vdev=xvdf,target=/dev/a', {}), { rc: -6, message: /not found/ })
  for (const libxlExact of [false, true]) {
    await t.rejects(add('backend=99999,vdev=xvdf,target=/dev/a', { libxlExact }), {
      rc: -6,
      message: 'Disk vdev=xvdf: no domain has the number 99999 (backend)',
    })
  }
  await t.rejects(add('vdev=xvda,target=/dev/a', { domid: -1 }), RangeError)
  await t.rejects(add('vdev=xvda,target=/dev/a', { domainType: 'HVM' }), TypeError)
})

t.test('a value that no request can hold', async t => {
  const store = await storeWith(t, guests)
  const before = await treeAt(store, ['/'])
  const disk = parseDisk(`vdev=xvda,target=/${'a'.repeat(4100)}`)
  await t.rejects(addDisk(store, disk, { domid: 11, host: blocks, wait: false }), {
    rc: -3,
    message: /^the store refuses the disk: WRITE \/local\/domain\/0\/backend\/vbd\/11\/51712\/params: E2BIG/,
  })
  t.strictSame(await treeAt(store, ['/']), before)
})

t.test('any target survives', async t => {
  const store = await storeWith(t, guests)
  for (const target of ['/é', '/\u{1f4be}', '/a\udcff.img', '/a b=c', '/__proto__']) {
    const { device } = await addDisk(
      store,
      { ...parseDisk('vdev=xvda,target=/x'), pdevPath: target },
      { domid: 11, host: blocks, wait: false },
    )
    t.equal(await store.read(`${device.paths.libxl}/params`), target)
    await destroyDevice(store, device)
  }
})

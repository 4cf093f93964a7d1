import { Buffer } from 'node:buffer'
import t from 'tap'
import { type Xenstore, XenstoreError } from 'xenlight/xenstore'
import { settle, silent } from './fake-daemon.js'

interface Case {
  call(store: Xenstore): Promise<unknown>
  /** What goes out. */
  type: number
  sent: string
  /** What comes back, and what that is. */
  answer: string
  result: unknown
}

const ok = { answer: 'OK\0', result: undefined }

const cases: Case[] = [
  { call: s => s.read('/a/b'), type: 2, sent: '/a/b\0', answer: 'value', result: 'value' },
  { call: s => s.read('/a'), type: 2, sent: '/a\0', answer: '', result: '' },
  { call: s => s.read('rel/x-y_z@1'), type: 2, sent: 'rel/x-y_z@1\0', answer: 'a\0b\0', result: 'a\0b\0' },
  { call: s => s.read('/a'), type: 2, sent: '/a\0', answer: '\xc3\xa9\xff', result: 'é\udcff' },
  { call: s => s.readBytes('/a'), type: 2, sent: '/a\0', answer: '\x00\xff', result: Buffer.from([0, 255]) },
  { call: s => s.readIfPresent('/a'), type: 2, sent: '/a\0', answer: 'x', result: 'x' },
  { call: s => s.write('/a', 'é\udcff\0'), type: 11, sent: '/a\0\xc3\xa9\xff\0', ...ok },
  { call: s => s.write('/a', ''), type: 11, sent: '/a\0', ...ok },
  { call: s => s.write('/a', Uint8Array.of(0, 255)), type: 11, sent: '/a\0\0\xff', answer: 'OK', result: undefined },
  { call: s => s.mkdir('/'), type: 12, sent: '/\0', ...ok },
  { call: s => s.rm('/a'), type: 13, sent: '/a\0', ...ok },
  { call: s => s.directory('/a'), type: 1, sent: '/a\0', answer: 'b\0__proto__\0', result: ['b', '__proto__'] },
  { call: s => s.directory('/a'), type: 1, sent: '/a\0', answer: '', result: [] },
  { call: s => s.directory('/a'), type: 1, sent: '/a\0', answer: 'b\0c', result: ['b', 'c'] },
  {
    call: s => s.getPermissions('/a'),
    type: 3,
    sent: '/a\0',
    answer: 'n0\0r11\0b5\0w32755\0',
    result: [
      { domid: 0, access: 'none' },
      { domid: 11, access: 'read' },
      { domid: 5, access: 'both' },
      { domid: 32755, access: 'write' },
    ],
  },
  {
    call: s => {
      const permissions = [
        { domid: 0, access: 'none' as const },
        { domid: 7, access: 'both' as const },
      ]
      return s.setPermissions('@releaseDomain', permissions)
    },
    type: 14,
    sent: '@releaseDomain\0n0\0b7\0',
    ...ok,
  },
  { call: s => s.getDomainPath(7), type: 10, sent: '7\0', answer: '/local/domain/7\0', result: '/local/domain/7' },
  { call: s => s.introduce({ domid: 5, gfn: 1048575, eventChannel: 3 }), type: 8, sent: '5\x001048575\x003\0', ...ok },
  { call: s => s.release(5), type: 9, sent: '5\0', ...ok },
  { call: s => s.resume(5), type: 18, sent: '5\0', ...ok },
  { call: s => s.setTarget(5, 6), type: 19, sent: '5\x006\0', ...ok },
  { call: s => s.isIntroduced(5), type: 17, sent: '5\0', answer: 'T\0', result: true },
  { call: s => s.isIntroduced(32751), type: 17, sent: '32751\0', answer: 'F\0', result: false },
  { call: s => s.resetWatches(), type: 21, sent: '\0', ...ok },
  {
    call: s => s.control('quota', ['set', 'é', '1']),
    type: 0,
    sent: 'quota\0set\0\xc3\xa9\x001\0',
    answer: 'x\ny\0',
    result: 'x\ny',
  },
  { call: s => s.control('check'), type: 0, sent: 'check\0', answer: 'OK\0', result: 'OK' },
  { call: s => s.getFeature(), type: 23, sent: '', answer: '15\0', result: 15 },
  { call: s => s.getFeature(5), type: 23, sent: '5\0', answer: '4294967295\0', result: 4294967295 },
  { call: s => s.setFeature(5, 3), type: 24, sent: '5\x003\0', ...ok },
  { call: s => s.listQuotas(), type: 25, sent: '', answer: 'nodes watches\0', result: ['nodes', 'watches'] },
  { call: s => s.getQuota('nodes'), type: 25, sent: 'nodes\0', answer: '1000\0', result: 1000 },
  { call: s => s.getQuota('nodes', 5), type: 25, sent: '5\0nodes\0', answer: '0', result: 0 },
  { call: s => s.setQuota('nodes', 9), type: 26, sent: 'nodes\x009\0', ...ok },
  { call: s => s.setQuota('nodes', 9, 5), type: 26, sent: '5\0nodes\x009\0', ...ok },
]

t.test('each operation: what goes out, and what an answer means', async t => {
  for (const { call, type, sent, answer, result } of cases) {
    const { daemon, store } = silent()
    const promise = call(store)
    const [request] = daemon.received
    t.match(request, { type, tx: 0, text: sent })
    t.ok(request!.id > 0)
    daemon.answer(request!, answer)
    t.strictSame(await promise, result)
  }
})

t.test('an empty payload is followed by something, as oxenstored sees it only then', async t => {
  const { daemon, store } = silent()
  const features = store.getFeature()
  t.strictSame(
    daemon.received.map(({ type, text }) => [type, text]),
    [
      [23, ''],
      [10, '0\0'],
    ],
  )
  for (const request of daemon.received) daemon.answer(request, request.type === 23 ? '1\0' : '/local/domain/0\0')
  t.equal(await features, 1)
  t.match(store.statistics, { inFlight: 0, late: 0 })
})

t.test("the daemon's errors", async t => {
  const names =
    'EINVAL EACCES EEXIST EISDIR ENOENT ENOMEM ENOSPC EIO ENOTEMPTY ENOSYS EROFS EBUSY EAGAIN EISCONN E2BIG EPERM'
  for (const code of [...names.split(' '), 'EQUOTA', 'EFUTURE']) {
    const { daemon, store } = silent()
    const promise = store.write('/a/b', 'x')
    daemon.refuse(daemon.received[0]!, code)
    await t.rejects(promise, { name: 'XenstoreError', code, operation: 'WRITE', path: '/a/b' })
    const error = await promise.catch((error: XenstoreError) => error)
    t.ok(error instanceof XenstoreError && error.message.startsWith(`WRITE /a/b: ${code}`))
  }
  const { daemon, store } = silent()
  const absent = store.readIfPresent('/a')
  daemon.refuse(daemon.received[0]!, 'ENOENT')
  t.equal(await absent, undefined)
  const forbidden = store.readIfPresent('/a')
  daemon.refuse(daemon.received[1]!, 'EACCES')
  await t.rejects(forbidden, { code: 'EACCES', message: 'READ /a: EACCES (not permitted to this domain)' })
})

const refused: [call: (store: Xenstore) => unknown, code: string, message: RegExp][] = [
  [s => s.read(''), 'EINVAL', /^READ "": EINVAL \(a path cannot be empty\)$/],
  [s => s.read('/a b'), 'EINVAL', /^READ "\/a b": EINVAL \(a path cannot have " " \(at 2\)/],
  [s => s.read('/a\0'), 'EINVAL', /cannot have "\\u0000"/],
  [s => s.read('/é'), 'EINVAL', /cannot have "é"/],
  [s => s.read('/a/'), 'EINVAL', /end in a slash/],
  [s => s.read('/a//b'), 'EINVAL', /two slashes/],
  [s => s.read(5 as unknown as string), 'EINVAL', /not number/],
  [s => s.read(`/${'a'.repeat(3072)}`), 'ENAMETOOLONG', /3073 bytes \(at most 3072\)/],
  [s => s.read('a'.repeat(2049)), 'ENAMETOOLONG', /2049 bytes \(at most 2048\)/],
  [s => s.write('/a', 'x'.repeat(4094)), 'E2BIG', /^WRITE \/a: E2BIG \(4097 bytes/],
  [s => s.write('/a', 5 as unknown as string), 'EINVAL', /text or bytes, not number/],
  [s => s.setPermissions('/a', []), 'EINVAL', /at least one/],
  [s => s.setPermissions('/a', [{ domid: -1, access: 'read' }]), 'EINVAL', /domain -1/],
  [s => s.setPermissions('/a', [{ domid: 1, access: 'toString' as 'read' }]), 'EINVAL', /access toString/],
  [s => s.setPermissions('/a', Array(1366).fill({ domid: 1, access: 'read' })), 'E2BIG', /SET_PERMS \/a/],
  [s => s.getDomainPath(0x7ff0), 'EINVAL', /0 to 32751/],
  [s => s.release(1.5), 'EINVAL', /^RELEASE: EINVAL \(no domain's number: 1.5/],
  [s => s.resume('1' as unknown as number), 'EINVAL', /no domain's number/],
  [s => s.setTarget(1, -1), 'EINVAL', /-1/],
  [s => s.introduce({ domid: 1, gfn: -1, eventChannel: 1 }), 'EINVAL', /frame's number: -1/],
  [s => s.introduce({ domid: 1, gfn: 1, eventChannel: 2 ** 32 }), 'EINVAL', /event channel/],
  [s => s.control('a\0b'), 'EINVAL', /NUL/],
  [s => s.control('a', ['b\0']), 'EINVAL', /NUL/],
  [s => s.control(5 as unknown as string), 'EINVAL', /text, not number/],
  [s => s.setFeature(1, Number.NaN), 'EINVAL', /NaN/],
  [s => s.getQuota(''), 'EINVAL', /name/],
  [s => s.setQuota('nodes', -1), 'EINVAL', /-1/],
  [s => s.read('/a', { timeout: -1 }), 'EINVAL', /milliseconds/],
  [s => s.watch('@other domain').ready, 'EINVAL', /WATCH/],
  [s => s.watch('/a', { depth: -1 }).ready, 'EINVAL', /depth/],
  [s => s.watch('/a', { depth: 0.5 }).ready, 'EINVAL', /depth/],
  [s => s.watch('/a', { capacity: 0 }).ready, 'EINVAL', /capacity/],
  [s => s.watch('/a', { overflow: 'drop' as 'fail' }).ready, 'EINVAL', /overflow/],
  [s => s.transaction(() => {}, { attempts: 0 }), 'EINVAL', /once/],
]

t.test('what cannot be is refused before anything is sent', async t => {
  for (const [call, code, message] of refused) {
    const { daemon, store } = silent()
    await t.rejects(async () => call(store), { name: 'XenstoreError', code, message })
    await settle()
    t.equal(daemon.received.length, 0)
    t.match(store.statistics, { requests: 0, inFlight: 0, queued: 0, watches: 0, transactions: 0 })
  }
})

t.test('the largest that fit are sent', async t => {
  const { daemon, store } = silent()
  const path = `/${'a'.repeat(3071)}`
  for (const promise of [
    store.read(path),
    store.read('a'.repeat(2048)),
    store.write('/a', 'x'.repeat(4093)),
    store.write(path, 'x'.repeat(4096 - 3073)),
  ]) {
    promise.catch(() => {})
  }
  t.strictSame(
    daemon.received.map(({ text }) => text.length),
    [3073, 2049, 4096, 4096],
  )
  await store.close()
})

t.test('a list of children in parts', async t => {
  const big = 'name\0'.repeat(3)
  const scripts: [script: (string | undefined)[], result: unknown][] = [
    [['7\0a\0b\0\0'], ['a', 'b']],
    [
      ['7\0a\0', '7\0b\0', '7\0\0'],
      ['a', 'b'],
    ],
    [['7\0\0'], []],
    [
      ['7\0a\0', '8\0b\0', '8\0a\0', '8\0b\0\0'],
      ['a', 'b'],
    ],
    [
      [`18446744073709551615\0${big}`, '18446744073709551615\0\0'],
      ['name', 'name', 'name'],
    ],
    [[undefined], 'E2BIG'],
  ]
  for (const [script, result] of scripts) {
    const { daemon, store } = silent()
    const promise = store.directory('/a')
    promise.catch(() => {})
    daemon.refuse(daemon.received[0]!, 'E2BIG')
    for (const [index, part] of script.entries()) {
      await settle()
      const request = daemon.received[index + 1]!
      t.match(request, { type: 22 })
      if (part === undefined) daemon.refuse(request, 'ENOSYS')
      else daemon.answer(request, part)
    }
    if (typeof result === 'string') await t.rejects(promise, { code: result, operation: 'DIRECTORY', path: '/a' })
    else t.strictSame(await promise, result)
    const offsets = daemon.received.slice(1).map(({ text }) => text.split('\0')[1])
    if (script.length === 4) t.strictSame(offsets, ['0', '2', '0', '2'])
  }
})

t.test('a list of children that never holds still is given up', async t => {
  let generation = 0
  const { FakeDaemon } = await import('./fake-daemon.js')
  const { openXenstore } = await import('xenlight/xenstore')
  const daemon = new FakeDaemon((request, daemon) => {
    if (request.type === 1) daemon.refuse(request, 'E2BIG')
    else daemon.answer(request, `${++generation}\0a\0`)
  })
  await t.rejects(openXenstore(daemon).directory('/a'), { code: 'EAGAIN', operation: 'DIRECTORY_PART', path: '/a' })
})

import { statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { type PageOptions, servePage } from '#xenlight/page/node/serve-page.js'
import { PageRefusal } from '#xenlight/page/page-control.js'
import { socketFolder } from '../../nbd/socket-folder.js'
import { eventually } from '../../protocol-d/eventually.js'
import { projectRoot } from '../../support/project-root.js'
import { ask, eventsOf, logIn, open, raw } from './ask.js'

const token = 'the-secret-of-this-page-and-no-other'
const bearer = { Authorization: `Bearer ${token}` }
const folder = pathToFileURL(join(projectRoot, 'page/'))

const serving = async (t: Test, more: Partial<PageOptions> = {}) => {
  const view = (group: string | undefined) => ({ kind: 'test', group: group ?? null })
  const server = await servePage({ ...{ address: { port: 0 }, token, hosts: [], folder, every: 50, view }, ...more })
  t.teardown(() => server[Symbol.asyncDispose]())
  return server.address
}

/** What may be asked of a page that may change something: notes it. */
const noting = () => {
  const noted: unknown[] = []
  const change = (name: string) => async (given: unknown) => {
    noted.push([name, given])
    return { branch: 'b' }
  }
  return { noted, changes: { test: change('test'), discard: change('discard') } }
}

t.test('nobody sees anything without the secret', async t => {
  const address = await serving(t)
  t.match(address, { host: '127.0.0.1' })
  t.match(await ask(address, '/'), { status: 303, headers: { location: '/login' } })
  for (const path of ['/state', '/events', '/events?group=web', '/nothing', '/../page.css', '/page.css/', '//'])
    t.match(await ask(address, path), { status: 401 }, path)
  for (const path of ['/test', '/discard', '/logout', '/', '/state'])
    t.match(await ask(address, path, { method: 'POST', body: '{}' }), { status: 401 }, path)
  for (const authorization of ['Bearer x', `Basic ${token}`, token, `Bearer ${token} `.repeat(2)])
    t.match(await ask(address, '/state', { headers: { Authorization: authorization } }), { status: 401 })
  t.match(await ask(address, '/login'), { status: 200, body: /<form/ })
  t.match(await ask(address, '/page.js'), { status: 200, headers: { 'content-type': /^text\/javascript/ } })
  const head = await ask(address, '/page.css', { method: 'HEAD' })
  t.match(head, { status: 200, body: '' })
})

t.test('by the secret itself, for programs', async t => {
  const address = await serving(t)
  t.match(await ask(address, '/', { headers: bearer }), { status: 200, body: /page\.js/ })
  const state = await ask(address, '/state?group=web', { headers: bearer })
  t.strictSame(JSON.parse(state.body), { kind: 'test', group: 'web' })
  t.match(await ask(address, '/nothing', { headers: bearer }), { status: 404 })
})

t.test('by logging in, until one logs out', async t => {
  const address = await serving(t)
  const wrong = await ask(address, '/login', { method: 'POST', body: 'token=wrong' })
  t.match(wrong, { status: 401, body: /id="wrong">That is not the secret/ })
  t.equal(wrong.headers['set-cookie'], undefined)
  const right = await ask(address, '/login', { method: 'POST', body: `token=${token}%0A` })
  t.match(right, { status: 303, headers: { location: '/' } })
  t.match(right.headers['set-cookie'], [/^xenlight-[0-9a-f]{12}=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/])
  const headers = { Cookie: await logIn(address, token) }
  t.match(await ask(address, '/', { headers }), { status: 200 })
  const events = eventsOf(await open(address, '/events', { headers }))
  const { value: hello } = await events.next()
  t.match(hello, { event: 'hello', data: { control: false, every: 50, guard: String } })
  t.match(await ask(address, '/logout', { method: 'POST', headers }), { status: 403 }, 'not by another site')
  const guarded = { ...headers, 'X-Xenlight-Guard': hello.data.guard }
  t.match(await ask(address, '/logout', { method: 'POST', headers: guarded }), { status: 303 })
  t.match(await ask(address, '/state', { headers }), { status: 401 })
  // who followed does not any more
  await t.rejects(
    (async () => {
      for await (const _ of events);
    })(),
  )
})

t.test('too many wrong tries', async t => {
  const address = await serving(t)
  const cookie = await logIn(address, token)
  const statuses: number[] = []
  for (let n = 0; n < 12; n++)
    statuses.push((await ask(address, '/login', { method: 'POST', body: `token=${n}` })).status)
  t.strictSame(statuses, [...Array(10).fill(401), 429, 429])
  t.match(await ask(address, '/state', { headers: bearer }), { status: 429, headers: { 'retry-after': '60' } })
  t.match(await ask(address, '/state', { headers: { Cookie: cookie } }), { status: 200 }, 'who is in stays in')
})

t.test('every answer keeps others out', async t => {
  const address = await serving(t)
  const headers = { Cookie: await logIn(address, token) }
  const answers = [
    ...['/', '/login', '/page.css', '/icon.svg', '/state', '/nothing'].map(path => ask(address, path, { headers })),
    ask(address, '/'),
    ask(address, '/login', { method: 'POST', body: 'x' }),
    ask(address, '/test', { method: 'POST', headers, body: '{}' }),
    ask(address, '/', { headers: { Host: 'evil.example' } }),
  ]
  const stream = await open(address, '/events', { headers })
  stream.destroy()
  for (const { headers } of [...(await Promise.all(answers)), stream]) {
    const policy = headers['content-security-policy']
    t.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /)
    t.match(policy, /frame-ancestors 'none'/)
    t.notMatch(policy, /unsafe|\*|http/)
    t.match(headers, { 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'cache-control': 'no-store' })
    t.match(headers, { 'referrer-policy': 'no-referrer' })
    t.notHas(headers, 'access-control-allow-origin')
  }
})

t.test('only by names of its own', async t => {
  const address = await serving(t, { hosts: ['status.example'] })
  for (const Host of ['evil.example', 'evil.example:80', 'localhost.evil.example'])
    for (const path of ['/', '/login', '/page.js', '/state'])
      t.match(await ask(address, path, { headers: { ...bearer, Host } }), { status: 421 }, `${Host}${path}`)
  for (const Host of ['status.example', 'STATUS.example:443', 'localhost:1234', '[::1]:9800', '10.1.2.3'])
    t.match(await ask(address, '/state', { headers: { ...bearer, Host } }), { status: 200 }, Host)
  t.match(await raw(address, 'GET /login HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 421 /, 'nor without any')
})

t.test('nothing is changed where that is not allowed', async t => {
  const address = await serving(t)
  const cookie = await logIn(address, token)
  const events = eventsOf(await open(address, '/events', { headers: { Cookie: cookie } }))
  const guard = (await events.next()).value.data.guard
  const headers = { Cookie: cookie, 'X-Xenlight-Guard': guard }
  for (const path of ['/test', '/discard', '/fail-over'])
    t.match(await ask(address, path, { method: 'POST', headers, body: '{}' }), { status: 403, body: /--page-control/ })
  for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PATCH'])
    t.match(await ask(address, '/test', { method, headers }), { status: 405 }, method)
})

t.test('a test and its end, from the page alone', async t => {
  const { noted, changes } = noting()
  const address = await serving(t, { changes })
  const cookie = await logIn(address, token)
  const events = eventsOf(await open(address, '/events', { headers: { Cookie: cookie } }))
  const { control, guard } = (await events.next()).value.data
  t.equal(control, true)
  const post = (path: string, more: Record<string, string>, body = '{"group":"web"}') =>
    ask(address, path, { method: 'POST', headers: { Cookie: cookie, ...more }, body })
  const other = { Cookie: await logIn(address, token) }
  const othersGuard = (await eventsOf(await open(address, '/events', { headers: other })).next()).value.data.guard
  for (const more of [
    ...[{}, { 'X-Xenlight-Guard': '' }, { 'X-Xenlight-Guard': 'x' }, { 'X-Xenlight-Guard': othersGuard }],
    ...[{ 'X-Xenlight-Guard': guard, 'Sec-Fetch-Site': 'cross-site' }],
  ] as Record<string, string>[])
    t.match(await post('/test', more), { status: 403 })
  t.strictSame(noted, [])
  const good = { 'X-Xenlight-Guard': guard, 'Sec-Fetch-Site': 'same-origin' }
  const done = await post('/test', good)
  t.match(done, { status: 200 })
  t.strictSame(JSON.parse(done.body), { branch: 'b' })
  t.match(await post('/discard', good), { status: 200 })
  t.match(await ask(address, '/test', { method: 'POST', headers: bearer, body: '{"group":"mail"}' }), { status: 200 })
  t.strictSame(noted, [
    ['test', { group: 'web' }],
    ['discard', { group: 'web' }],
    ['test', { group: 'mail' }],
  ])
  for (const path of ['/fail-over', '/commit', '/constructor', '/__proto__', '/toString', '/'])
    t.match(await post(path, good), { status: 404 }, path)
  for (const body of ['', '{', 'null', 'x=1']) t.match(await post('/test', good, body), { status: 400 }, body)
  t.match(await post('/test', good, `{"group":"${'x'.repeat(5000)}"}`), { status: 413 })
  t.equal(noted.length, 3)
})

t.test('what is refused is said, and what is a defect is not', async t => {
  const address = await serving(t, {
    changes: {
      test: async () => {
        throw new PageRefusal('there is no such point\n')
      },
      discard: async () => {
        throw new Error('a secret of the process')
      },
    },
  })
  const post = (path: string) => ask(address, path, { method: 'POST', headers: bearer, body: '{}' })
  t.match(await post('/test'), { status: 409, body: 'there is no such point\u240a\n' })
  t.match(await post('/discard'), { status: 500, body: 'that failed\n' })
})

t.test('who follows hears again and again how all is', async t => {
  let count = 0
  const address = await serving(t, { view: group => ({ count: ++count, group }) })
  const response = await open(address, '/events?group=a%26b', { headers: bearer })
  t.match(response.headers, { 'content-type': 'text/event-stream' })
  const events = eventsOf(response)
  t.match((await events.next()).value, { event: 'hello', data: { guard: null } })
  const seen = [(await events.next()).value, (await events.next()).value, (await events.next()).value]
  t.match(seen[0], { event: 'view', data: { group: 'a&b' } })
  t.ok(seen[0]!.data.count < seen[1]!.data.count && seen[1]!.data.count < seen[2]!.data.count)
  response.destroy()
  // nothing is looked at for nobody
  await eventually('nobody is told', async () => {
    const before = count
    await new Promise(resolve => setTimeout(resolve, 200))
    return count === before
  })
})

t.test('so many may follow, and no more', async t => {
  const address = await serving(t)
  const followers = await Promise.all(Array.from({ length: 16 }, () => open(address, '/events', { headers: bearer })))
  t.ok(followers.every(({ statusCode }) => statusCode === 200))
  t.match(await ask(address, '/events', { headers: bearer }), { status: 503 })
  t.match(await ask(address, '/state', { headers: bearer }), { status: 200 })
  followers[0]!.destroy()
  await eventually('one more may follow', async () => {
    const one = await open(address, '/events', { headers: bearer })
    const { statusCode } = one
    one.destroy()
    return statusCode === 200
  })
  for (const one of followers) one.destroy()
})

t.test('one that does not read gets no more than fits, and then the newest', { timeout: 60_000 }, async t => {
  const made = { slow: 0, quick: 0 }
  const long = 'x'.repeat(1024 * 1024)
  const view = (group: string | undefined) => ({ number: ++made[group as keyof typeof made], long })
  const address = await serving(t, { view, every: 10 })
  const slow = await open(address, '/events?group=slow', { headers: bearer })
  slow.pause()
  const quick = eventsOf(await open(address, '/events?group=quick', { headers: bearer }))
  while (made.quick < 60) await quick.next()
  t.ok(made.slow < 30, `${made.slow} were made for one that reads nothing`)
  const before = made.slow
  const events = eventsOf(slow)
  let newest = 0
  while (newest <= before) {
    const { value } = await events.next()
    if (value.event === 'view') newest = value.data.number
  }
  t.equal(newest, before + 1)
  slow.destroy()
})

t.test('what cannot be said is no end', async t => {
  let isBroken = true
  const address = await serving(t, {
    view: () => {
      if (isBroken) throw new Error('a secret of the process')
      return { is: 'well' }
    },
  })
  t.match(await ask(address, '/state', { headers: bearer }), { status: 503, body: /^that cannot be said now/ })
  const events = eventsOf(await open(address, '/events', { headers: bearer }))
  t.match((await events.next()).value, { event: 'hello' })
  isBroken = false
  t.strictSame((await events.next()).value, { event: 'view', data: { is: 'well' } })
})

t.test('heads, bodies and methods have their limits', async t => {
  const address = await serving(t)
  const host = 'Host: localhost\r\n'
  t.match(await raw(address, `GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(10_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /)
  t.match(await raw(address, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /)
  t.match(await ask(address, '/login', { method: 'POST', body: 'x'.repeat(5000) }), { status: 413 })
  t.match(await ask(address, '/', { headers: { ...bearer, 'Content-Length': '3' }, body: 'abc' }), { status: 413 })
  const patient = await raw(address, `POST /login HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n`)
  t.match(patient, /^HTTP\/1\.1 417 /, 'and no body is asked for')
  const one = `GET /login HTTP/1.1\r\n${host}\r\n`
  t.equal((await raw(address, one + one)).split('<form').length, 2, 'a connection is for one request')
})

t.test('of many that say nothing the oldest make room, and none that follows', async t => {
  const address = await serving(t)
  const events = eventsOf(await open(address, '/events', { headers: bearer }))
  await events.next()
  const idle = Array.from({ length: 200 }, () => raw(address, 'GET /'))
  t.match(await ask(address, '/login'), { status: 200 })
  const ended = await Promise.all(idle.slice(0, 100))
  t.ok(ended.every(got => got === ''))
  for (let n = 0; n < 3; n++) t.match((await events.next()).value, { event: 'view' })
})

t.test('one whose head or body does not come is ended', { timeout: 60_000 }, async t => {
  const address = await serving(t)
  const head = raw(address, 'POST /login HTTP/1.1\r\nHost: localhost\r\n')
  const body = raw(address, 'POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc')
  t.match(await head, /^HTTP\/1\.1 408 /)
  t.match(await body, /^HTTP\/1\.1 4\d\d /)
})

t.test('at a unix socket, for this user alone; and where it cannot listen', async t => {
  const path = join(socketFolder(t), 'page')
  const address = await serving(t, { address: { path } })
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.match(await ask(address, '/state', { headers: bearer }), { status: 200 })
  const other = createServer()
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const { port } = other.address() as { port: number }
  await t.rejects(serving(t, { address: { port } }), { code: 'EADDRINUSE', message: /who looks at the page/ })
  const tls = { cert: Buffer.from('x'), key: Buffer.from('y') }
  await t.rejects(serving(t, { tls }), { message: /cert\.pem and key\.pem cannot be used/ })
})

t.test('to end it waits for nobody', async t => {
  const server = await servePage({ ...{ address: { port: 0 }, token, hosts: [], folder, every: 50 }, view: () => ({}) })
  const silent = raw(server.address, 'GET /')
  const follower = await open(server.address, '/events', { headers: bearer })
  follower.on('error', () => {})
  const ended = new Promise(resolve => follower.once('close', resolve))
  follower.resume()
  await server[Symbol.asyncDispose]()
  t.equal(await silent, '')
  await ended
  t.pass('who followed knows it')
})

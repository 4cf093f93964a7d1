import { statSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { gauge } from '#xenlight/metrics/family.js'
import { type MetricsServer, serveMetrics } from '#xenlight/metrics/node/serve-metrics.js'
import { socketFolder } from '../../nbd/socket-folder.js'

const families = () => [gauge('xenlight_a', 'Help.', [[{ group: 'é' }, 1]])]
const text = '# HELP xenlight_a Help.\n# TYPE xenlight_a gauge\nxenlight_a{group="é"} 1\n'

const serving = async (t: Test, what: () => ReturnType<typeof families> = families) => {
  const server = await serveMetrics({ port: 0 }, what)
  t.teardown(() => server[Symbol.asyncDispose]())
  return server
}

interface Answer {
  status: number | undefined
  headers: IncomingHttpHeaders
  body: string
}

const ask = ({ address }: MetricsServer, method: string, path: string, headers = {}, body = ''): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const where = 'path' in address ? { socketPath: address.path } : address
    const asked = request({ ...where, method, path, headers, agent: false }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', text => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
    asked.on('error', reject)
    asked.end(body)
  })

/** What a raw connection gets until the other end closes it. */
const raw = ({ address }: MetricsServer, ...pieces: string[]): Promise<string> =>
  new Promise(resolve => {
    const socket = connect(address as { port: number; host: string })
    let got = ''
    socket.setEncoding('utf8').on('data', text => {
      got += text
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(got))
    for (const piece of pieces) socket.write(piece)
  })

t.test('metrics by GET and HEAD, at a port of this machine alone', async t => {
  const server = await serving(t)
  t.match(server.address, { host: '127.0.0.1' })
  const got = await ask(server, 'GET', '/metrics')
  t.match(got, { status: 200, body: text })
  t.equal(got.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  t.equal(got.headers['content-length'], String(Buffer.byteLength(text)))
  t.match(await ask(server, 'GET', '/metrics?a=b'), { status: 200, body: text })
  const head = await ask(server, 'HEAD', '/metrics')
  t.match(head, { status: 200, body: '' })
  t.equal(head.headers['content-length'], String(Buffer.byteLength(text)))
  t.match(await ask(server, 'GET', '/'), { status: 200, body: /\/metrics/ })
})

t.test('all else is refused', async t => {
  const server = await serving(t)
  for (const path of ['/metrics/', '//metrics', '/%6detrics', '/../metrics', '/x'])
    t.match(await ask(server, 'GET', path), { status: 404 }, path)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
    t.match(await ask(server, method, '/metrics'), { status: 405, headers: { allow: 'GET, HEAD' } }, method)
  t.match(await ask(server, 'GET', '/metrics', { 'Content-Length': '3' }, 'abc'), { status: 413 })
  t.match(await ask(server, 'GET', '/metrics', { 'Transfer-Encoding': 'chunked' }, 'abc'), { status: 413 })
  t.match(await raw(server, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /)
  const host = 'Host: h\r\n'
  t.match(await raw(server, `GET /metrics HTTP/1.1\r\n${host}X: ${'x'.repeat(10_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /)
  const patient = await raw(server, `GET / HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`)
  t.match(patient, /^HTTP\/1\.1 413 /, 'and no body is asked for')
})

t.test('a connection is for one request', async t => {
  const one = 'GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n'
  const got = await raw(await serving(t), one + one + one)
  t.equal(got.split('xenlight_a{').length, 2)
  t.match(got, /^Connection: close\r$/m)
})

t.test('of many connections that say nothing the oldest make room', async t => {
  const server = await serving(t)
  const idle = Array.from({ length: 100 }, () => raw(server, 'GET /'))
  t.match(await ask(server, 'GET', '/metrics'), { status: 200 })
  // each of the others was ended for one that came later
  const ended = await Promise.all(idle.slice(0, 50))
  t.ok(ended.every(got => got === ''))
})

t.test('who asks again at once gets the same, and nothing is looked at', async t => {
  let looks = 0
  const server = await serving(t, () => {
    looks++
    return families()
  })
  const got = await Promise.all(Array.from({ length: 8 }, () => ask(server, 'GET', '/metrics')))
  t.ok(got.every(({ body }) => body === text))
  t.ok(looks < 8, `${looks}`)
})

t.test('a status that cannot be read is no end of the process', async t => {
  const server = await serving(t, () => {
    throw new Error('secret')
  })
  const { status, body } = await ask(server, 'GET', '/metrics')
  t.equal(status, 500)
  t.notMatch(body, 'secret')
})

t.test('at a unix socket, for this user alone', async t => {
  const path = join(socketFolder(t), 'metrics')
  const server = await serveMetrics({ path }, families)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.match(await ask(server, 'GET', '/metrics'), { status: 200, body: text })
  await t.rejects(serveMetrics({ path }, families), {
    code: 'EADDRINUSE',
    message: `cannot listen for who scrapes metrics at ${path}: another process listens there`,
  })
  await server[Symbol.asyncDispose]()
})

t.test('it says where it cannot listen, and leaves nothing open', async t => {
  const other = createServer()
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as { port: number }
  await t.rejects(serveMetrics({ port }, families), {
    code: 'EADDRINUSE',
    message: new RegExp(`127\\.0\\.0\\.1:${port}`),
  })
  await new Promise(resolve => other.close(resolve))
  await t.rejects(serveMetrics({ path: `/${'x'.repeat(200)}` }, families), { code: 'ENAMETOOLONG' })
})

t.test('to end it waits for nobody', async t => {
  const server = await serveMetrics({ port: 0 }, families)
  const silent = raw(server, 'GET /metrics')
  await ask(server, 'GET', '/')
  await server[Symbol.asyncDispose]()
  t.equal(await silent, '')
})

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { servePage } from '#xenlight/page/node/serve-page.js'
import { newAuthority } from '../../replication/node/certificates.js'
import { projectRoot } from '../../support/project-root.js'
import { realPart } from '../../support/real-part.js'
import { ask, eventsOf, logIn, open, raw } from './ask.js'

const token = 'the-secret-of-this-page-and-no-other'

t.test('by HTTPS, with a cookie that is for HTTPS alone', async t => {
  const tls = await realPart(t, () => newAuthority(t).sign('page'))
  if (tls === undefined) return
  const server = await servePage({
    ...{ address: { port: 0 }, token, hosts: [], tls, every: 50, view: () => ({ is: 'well' }) },
    folder: pathToFileURL(join(projectRoot, 'page/')),
  })
  t.teardown(() => server[Symbol.asyncDispose]())
  const { address } = server
  const body = `token=${token}`
  const answer = await ask(address, '/login', { method: 'POST', body, isTls: true })
  t.match(answer.headers['set-cookie'], [/; Secure$/])
  const headers = { Cookie: await logIn(address, token, true) }
  const events = eventsOf(await open(address, '/events', { headers, isTls: true }))
  t.match((await events.next()).value, { event: 'hello' })
  // others that come and say nothing end no stream
  const idle = Array.from({ length: 100 }, () => raw(address, 'x'))
  await idle[0]
  for (let n = 0; n < 3; n++) t.match((await events.next()).value, { event: 'view', data: { is: 'well' } })
  await t.rejects(ask(address, '/login'), 'no HTTP there')
})

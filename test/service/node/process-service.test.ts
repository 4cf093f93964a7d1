import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { processService } from '#xenlight/service/node/process-service.js'
import { socketFolder } from '../../nbd/socket-folder.js'
import { realPart } from '../../support/real-part.js'
import { notifySocket } from '../notify-socket.js'

for (const kind of ['a path', 'an abstract name'])
  t.test(`the real systemd-notify, to ${kind}`, async t => {
    const folder = socketFolder(t)
    const name = kind === 'a path' ? join(folder, 'notify') : `@xenlight-test-${process.pid}`
    const socket = await realPart(t, () => notifySocket(t, name))
    if (socket === undefined) return
    const complaints: string[] = []
    const environment = { NOTIFY_SOCKET: name, WATCHDOG_USEC: '30000', PATH: '/nonexistent' }
    await using service = processService(why => complaints.push(why), environment)
    t.strictSame(environment, { PATH: '/nonexistent' }, 'what is started later is not told')
    service.ready()
    service.status(`all's "well" $HOME -- \\x41`)
    await socket.until('READY=1', `STATUS=all's "well" $HOME -- \\x41`, 'WATCHDOG=1')
    t.equal(socket.messages[0]?.[0], 'READY=1')
    service.reloading()
    await socket.until('RELOADING=1', /^MONOTONIC_USEC=\d+$/)
    service.stopping()
    await socket.until('STOPPING=1')
    t.strictSame(complaints, [])
  })

t.test('a manager that is not there is complained of once', async t => {
  const folder = socketFolder(t)
  const isHere = await realPart(t, () => notifySocket(t, join(folder, 'other')))
  if (isHere === undefined) return
  mkdirSync(join(folder, 'gone'))
  const complaints: string[] = []
  await using service = processService(why => complaints.push(why), { NOTIFY_SOCKET: join(folder, 'gone') })
  const complained = new Promise<void>(resolve => {
    const wait = () => (complaints.length > 0 ? resolve() : setImmediate(wait))
    wait()
  })
  service.ready()
  await complained
  service.status('still here')
  service.status('still here')
  t.match(complaints, ['the service manager cannot be told: systemd-notify failed (1)'])
})

t.test('nobody listens', async t => {
  for (const environment of [{}, { NOTIFY_SOCKET: '' }]) {
    await using service = processService(why => t.fail(why), environment)
    service.ready()
    service.reloading()
    service.status('up')
    service.stopping()
  }
})

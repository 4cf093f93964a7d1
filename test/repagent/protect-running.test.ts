import { join } from 'node:path'
import t from 'tap'
import { run } from '#xenlight/repagent/run.js'
import { scrapeUntil } from '../metrics/scrape.js'
import { eventually } from '../protocol-d/eventually.js'
import { offered, openHub, RunningGuest } from '../replication/node/running-guest.js'
import { InterruptedIo } from '../replication-command/interrupted-io.js'
import { realPart } from '../support/real-part.js'

t.test('a QEMU that runs is protected without a configuration file', async t => {
  const guest = new RunningGuest(t, { disks: 2, sectors: 50 })
  const isThere = await realPart(t, async () => {
    await guest.start()
    return true
  })
  if (!isThere) return
  await using server = await openHub(guest)
  const at = (name: string) => join(guest.folder, name)
  const options = ['--qmp', at('qmp'), '--every', '100ms', '--target', '20s', '--hub-may', 'none', '--name', 'anna']
  const places = ['--hub', at('h'), '--state', at('agent'), '--run', at('run')]
  const io = new InterruptedIo([
    'protect',
    'web',
    ...guest.volumes.map(name => `${name}=${name}`),
    ...options,
    ...places,
    '--metrics',
    at('m'),
  ])
  const ended = run(io)
  await eventually(
    'it is protected',
    () => /web: protected/.test(io.written[1]),
    () => `${io.written[1]}${io.written[2]}`,
  )
  const before = guest.reported()
  await eventually('a later moment is there', async () => (await offered(server, guest)).at(-1)! > before)
  await t.rejects(server.hub.control('owner').command('web', 'pause', {}), { code: 'not-allowed' })
  for (const name of ['cycle_duration_seconds_count', 'forward_seconds_count'])
    await scrapeUntil(at('m'), `xenlight_agent_group_${name}`, { group: 'web' }, count => count! > 0)
  io.interrupt('SIGTERM')
  t.equal(await ended, 143)
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connectNbd } from 'xenlight/nbd'
import { freePort } from '../protocol-d/free-port.js'
import { hosts } from '../rephub/real-hosts.js'
import { realPart } from '../support/real-part.js'
import { machine, pairOf } from '../xl-remus/real-nodes.js'
import { parseExposition } from './parse-exposition.js'
import { checkedByPromtool, promtool } from './promtool.js'
import { allFamilies } from './samples.js'
import { scrape, scrapeUntil } from './scrape.js'
import { sampleValue } from './values.js'

const known = new Set(allFamilies().map(({ name }) => name))

/** It is what a scraper reads, has nothing that is not documented, and promtool finds nothing wrong with it. */
async function checkText(t: Test, tool: string, text: string, ofRoom: RegExp): Promise<void> {
  const families = parseExposition(text).map(({ name }) => name)
  t.strictSame(
    families.filter(name => !known.has(name)),
    [],
  )
  t.ok(families.some(name => ofRoom.test(name)))
  t.equal(await checkedByPromtool(tool, text), '')
}

t.test('rephub and repagent, while they serve', { timeout: 120_000 }, async t => {
  const tool = await realPart(t, promtool)
  if (tool === undefined) return
  const here = hosts(t)
  const at = (name: string) => join(here.folder, name)
  writeFileSync(at('root.img'), Buffer.alloc(1024 * 1024))
  await here.hub('--metrics', at('hub.metrics'))
  const agent = await here.agent('web', `root=${at('root.img')}`, '--metrics', at('agent.metrics'))
  await here.until('web', 'protected')
  const group = { group: 'web' }
  {
    await using client = await connectNbd({ path: here.disk('web', 'root') }, { export: 'web/root' })
    await client.write(0, Buffer.alloc(4096, 1))
    await client.flush()
  }
  const sent = await scrapeUntil(
    at('agent.metrics'),
    'xenlight_agent_volume_state',
    { ...group, volume: 'root', state: 'protected' },
    value => value === 1,
  )
  await checkText(t, tool, sent, /^xenlight_agent_/)
  t.equal(sampleValue(sent, 'xenlight_info', { command: 'repagent' }), 1)
  t.equal(sampleValue(sent, 'xenlight_agent_hub_connected'), 1)
  t.equal(sampleValue(sent, 'xenlight_agent_group_recovery_point_target_seconds', group), 5)
  await scrapeUntil(at('agent.metrics'), 'xenlight_agent_group_forward_seconds_count', group, value => value! > 0)

  const kept = await scrape(at('hub.metrics'))
  await checkText(t, tool, kept, /^xenlight_hub_/)
  t.equal(sampleValue(kept, 'xenlight_info', { command: 'rephub' }), 1)
  t.equal(sampleValue(kept, 'xenlight_hub_group_state', { ...group, state: 'protected' }), 1)
  t.equal(sampleValue(kept, 'xenlight_hub_group_take_overs_total', { ...group, kind: 'fail-over' }), 0)
  t.equal(sampleValue(kept, 'xenlight_hub_agents'), 1)

  t.match(await here.rephub('failover', 'web', '--branch', 'b'), { status: 0 })
  const failedOver = await scrapeUntil(
    at('hub.metrics'),
    'xenlight_hub_group_take_overs_total',
    { ...group, kind: 'fail-over' },
    value => value === 1,
  )
  t.equal(sampleValue(failedOver, 'xenlight_hub_group_state', { ...group, state: 'failed-over' }), 1)
  t.equal(sampleValue(failedOver, 'xenlight_hub_group_epoch', group), 2)
  t.equal(sampleValue(failedOver, 'xenlight_hub_group_branches', { ...group, kind: 'fail-over' }), 1)
  const fenced = { ...group, volume: 'root', state: 'fenced' }
  await scrapeUntil(at('agent.metrics'), 'xenlight_agent_volume_state', fenced, value => value === 1)
  t.match(await here.rephub('discard', 'web', 'b'), { status: 0 })
  await scrapeUntil(
    at('hub.metrics'),
    'xenlight_hub_group_take_overs_total',
    { ...group, kind: 'roll-back' },
    value => value === 1,
  )

  agent.child.kill('SIGTERM')
  t.match(await agent.ended, { status: 143, stderr: '' })
  const state = { ...group, state: 'disconnected' }
  await scrapeUntil(at('hub.metrics'), 'xenlight_hub_group_state', state, value => value === 1)
})

t.test('xl-remus, while it serves', { timeout: 120_000 }, async t => {
  const tool = await realPart(t, promtool)
  if (tool === undefined) return
  const here = await machine(t)
  const metrics = (name: string) => join(here.folder, `${name}.metrics`)
  const { anna, berta, serving } = await pairOf({
    ...here,
    node: (name, peer, ...more) => here.node(name, peer, ...more, '--metrics', metrics(name)),
  })
  const disk = { disk: 'disk' }
  t.match(await anna.ask('checkpoint', 'on'), { status: 0 })
  {
    await using client = await connectNbd({ path: anna.nbd }, { export: 'disk' })
    await client.write(0, Buffer.alloc(4096, 1))
  }
  t.match(await anna.ask('checkpoint'), { status: 0 })
  // nothing was written: it is the last one again
  t.match(await anna.ask('checkpoint'), { status: 0 })
  const name = 'xenlight_remus_checkpoint_duration_seconds_count'
  const text = await scrapeUntil(metrics('anna'), name, disk, value => value === 1)
  await checkText(t, tool, text, /^xenlight_remus_/)
  t.equal(sampleValue(text, 'xenlight_remus_role', { ...disk, role: 'primary' }), 1)
  t.equal(sampleValue(text, 'xenlight_remus_connection_state', { ...disk, state: 'connected' }), 1)
  t.equal(sampleValue(text, 'xenlight_remus_checkpointing', disk), 1)
  t.ok(sampleValue(text, 'xenlight_remus_checkpoint_timestamp_seconds', disk)! > 0)
  const other = await scrape(metrics('berta'))
  await checkText(t, tool, other, /^xenlight_remus_/)
  t.equal(sampleValue(other, 'xenlight_remus_role', { ...disk, role: 'secondary' }), 1)
  t.equal(sampleValue(other, 'xenlight_remus_fail_overs_total', disk), 0)

  serving.anna.child.kill('SIGKILL')
  await berta.until('anna is gone', ({ connection }) => connection === 'none')
  t.match(await berta.ask('promote'), { status: 0 })
  const state = { ...disk, state: 'disconnected' }
  const taken = await scrapeUntil(metrics('berta'), 'xenlight_remus_connection_state', state, value => value === 1)
  t.equal(sampleValue(taken, 'xenlight_remus_fail_overs_total', disk), 1)
})

t.test('by the configuration: a port alone is one of this machine for itself', { timeout: 60_000 }, async t => {
  const here = hosts(t)
  const port = await freePort()
  const config = join(here.folder, 'config')
  writeFileSync(config, `data: ${here.folder}/copies\nmetrics: ${port}\n`)
  await here.hub('--config', config)
  const got = await fetch(`http://127.0.0.1:${port}/metrics`)
  t.equal(sampleValue(await got.text(), 'xenlight_hub_groups'), 0)
  const other = join(here.folder, 'other.metrics')
  const agent = join(here.folder, 'agent')
  writeFileSync(`${agent}.img`, Buffer.alloc(4096))
  const groups = `groups: { web: { disks: { root: { image: ${agent}.img } } } }`
  const places = `state: ${agent}.state\nrun: ${agent}.run\nmetrics: 127.0.0.1:${port}`
  writeFileSync(agent, `name: anna\nhub: ${join(here.folder, 'h')}\n${places}\n${groups}\n`)
  const refused = await here.stay('repagent', 'serve', '--config', agent, '--control', `${agent}.ctl`).ended
  t.match(refused, { status: 1, stderr: /cannot listen for who scrapes metrics at 127\.0\.0\.1/ })
  const instead = here.stay('repagent', 'serve', '--config', agent, '--control', `${agent}.ctl`, '--metrics', other)
  await instead.until(/web/)
  t.equal(sampleValue(await scrape(other), 'xenlight_agent_volumes'), 1)
})

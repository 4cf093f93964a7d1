import { join } from 'node:path'
import t from 'tap'
import { realPart } from '../support/real-part.js'
import { machine } from '../xl-colo/real-pair.js'
import { checkedByPromtool, promtool } from './promtool.js'
import { scrapeUntil } from './scrape.js'
import { sampleValue } from './values.js'

t.test('xl-colo start --every, while it keeps a pair', { timeout: 120_000 }, async t => {
  const here = await realPart(t, () => {
    promtool()
    return machine(t)
  })
  if (here === undefined) return
  const anna = await here.boot('anna', 'primary')
  const berta = await here.boot('berta', 'secondary')
  const ends = ['--primary', anna.sockets, '--secondary', berta.sockets, '--listen', here.listen]
  const metrics = join(here.folder, 'metrics')
  const keeping = here.stay('start', ...ends, '--every', '200ms', '--metrics', metrics)
  await keeping.until(/checkpoint 3/)
  const disk = { disk: 'disk0' }
  const isProtected = { ...disk, state: 'protected' }
  const text = await scrapeUntil(metrics, 'xenlight_colo_disk_state', isProtected, value => value === 1)
  t.equal(await checkedByPromtool(promtool(), text), '')
  t.equal(sampleValue(text, 'xenlight_info', { command: 'xl-colo' }), 1)
  t.equal(sampleValue(text, 'xenlight_colo_epoch'), 1)
  t.equal(sampleValue(text, 'xenlight_colo_checkpoint_interval_seconds'), 0.2)
  t.ok(sampleValue(text, 'xenlight_colo_checkpoint_pause_seconds_count')! >= 3)
  t.equal(sampleValue(text, 'xenlight_colo_yanks_total'), 0)

  // a secondary that is silent is cut off, so that the guest goes on
  berta.signal('SIGSTOP')
  await keeping.until(/warning: the secondary is cut off/)
  const cut = await scrapeUntil(metrics, 'xenlight_colo_yanks_total', {}, value => value === 1)
  t.equal(sampleValue(cut, 'xenlight_colo_disk_state', { ...disk, state: 'degraded' }), 1)
  berta.signal('SIGCONT')
  await scrapeUntil(metrics, 'xenlight_colo_disk_state', isProtected, value => value === 1)
  keeping.child.kill('SIGTERM')
  t.match(await keeping.ended, { status: 0 })
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../protocol-d/eventually.js'
import { realPart } from '../support/real-part.js'
import { machine } from '../xl-colo/real-pair.js'
import { ask } from './node/ask.js'

t.test('xl-colo start --every, while it keeps a pair: its page', { timeout: 120_000 }, async t => {
  const here = await realPart(t, () => machine(t))
  if (here === undefined) return
  const anna = await here.boot('anna', 'primary')
  const berta = await here.boot('berta', 'secondary')
  const [page, token] = [join(here.folder, 'page'), join(here.folder, 'token')]
  const ends = ['--primary', anna.sockets, '--secondary', berta.sockets, '--listen', here.listen]
  const keeping = here.stay('start', ...ends, '--every', '200ms', '--page', page, '--page-token', token)
  await keeping.until(/checkpoint 3/)
  const headers = { Authorization: `Bearer ${readFileSync(token, 'utf8').trim()}` }
  const state = async () => JSON.parse((await ask({ path: page }, '/state', { headers })).body)
  // biome-ignore lint/suspicious/noExplicitAny: it is what the page says
  const until = async (what: string, isSo: (view: any) => boolean) => {
    // biome-ignore lint/suspicious/noExplicitAny: it is what the page says
    let view: any
    await eventually(
      what,
      async () => {
        view = await state()
        return isSo(view)
      },
      () => JSON.stringify(view),
    )
    return view
  }
  const drivers = (side: { graph: { boxes: { lines: string[] }[] } | null }) =>
    side.graph?.boxes.map(({ lines }) => lines[0]) ?? []
  const seen = await until(
    'both sides are seen as they are protected',
    ({ primary, secondary, level }) =>
      level === 'good' && [primary, secondary].every(side => drivers(side).includes('replication')),
  )
  t.match(seen, { kind: 'colo', epoch: 1, every: 200, summary: 'The disk is protected', disks: [{ name: 'disk0' }] })
  t.ok(seen.checkpoint.number >= 3)
  t.ok(seen.pause.values.some((value: unknown) => typeof value === 'number'))
  t.ok(seen.primary.graph.edges.length > 3)
  const refused = await ask({ path: page }, '/test', { method: 'POST', headers, body: '{}' })
  t.match(refused, { status: 403 }, 'nothing can be changed')

  // to look on holds nothing up: a secondary that is silent is cut off as ever
  berta.signal('SIGSTOP')
  await keeping.until(/warning: the secondary is cut off/)
  const cut = await until('the page says so', ({ counts, secondary }) => counts.cuts === 1 && secondary.level === 'bad')
  t.match(cut, { level: 'bad', disks: [{ state: 'degraded' }], secondary: { text: /^does not answer: / } })
  t.not(cut.secondary.graph, null, 'what was seen last')
  berta.signal('SIGCONT')
  await until('all is well again', ({ level }) => level === 'good')
  keeping.child.kill('SIGTERM')
  t.match(await keeping.ended, { status: 0 })
})

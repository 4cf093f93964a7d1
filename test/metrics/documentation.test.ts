import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { parse } from 'yaml'
import { expositionText } from '#xenlight/metrics/exposition.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'
import { checkedByPromtool, promtool } from './promtool.js'
import { allFamilies } from './samples.js'

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8')
const page = read('docs/metrics.md')
const families = allFamilies()

/** All names that a query may have. */
const queried = new Set(
  families.flatMap(({ name, type }) =>
    type === 'histogram' ? ['bucket', 'sum', 'count'].map(ending => `${name}_${ending}`) : [name],
  ),
)
const named = (query: string): string[] => query.match(/\b(?:xenlight|process)_\w+/g) ?? []

interface Rule {
  alert: string
  expr: string
  labels: { severity: string }
  annotations: { summary: string }
}

const { groups } = parse(read('metrics/alerts.yml')) as { groups: { rules: Rule[] }[] }
const rules = groups.flatMap(({ rules }) => rules)

t.test('the page has a row for each metric that is written, and no other', async t => {
  const rows = [...page.matchAll(/^\| `((?:xenlight|process)_\w+)` \| (\w+) \| (.*) \| (.*) \|$/gm)]
  t.strictSame(
    rows.map(([, name, type, labels, help]) => ({ name, type, labels, help })),
    families.map(({ name, type, help, samples }) => {
      const labels = new Set(samples.flatMap(([labels]) => Object.keys(labels)))
      return { name, type, labels: [...labels].map(label => `\`${label}\``).join(', ') || '–', help }
    }),
  )
})

t.test('names are as Prometheus wants them', async t => {
  for (const { name, type, samples } of families) {
    t.match(name, /^(xenlight|process)_[a-z]+(_[a-z]+)*$/)
    t.equal(name.endsWith('_total') && type === 'counter', type === 'counter', name)
    t.ok(samples.length > 0, `${name} is written`)
  }
})

t.test('the page has a row for each alert, and no other; each has a severity', async t => {
  const rows = [...page.matchAll(/^\| `(Xenlight\w+)` \| (\S.*) \| (\S.*) \|$/gm)]
  t.strictSame(
    rows.map(([, name]) => name),
    rules.map(({ alert }) => alert),
  )
  for (const { alert, labels } of rules) t.match(labels.severity, /^(warning|critical)$/, alert)
})

t.test('alerts and the dashboard ask for metrics that there are', async t => {
  const { panels } = JSON.parse(read('metrics/dashboard.json')) as {
    panels: { title: string; targets: { expr: string }[] }[]
  }
  const queries = [
    ...rules.map(({ expr }) => expr),
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ]
  t.strictSame(
    queries.flatMap(named).filter(name => !queried.has(name)),
    [],
  )
  t.ok(queries.every(query => named(query).length > 0 || query.startsWith('up{')))
  const labels = new Map(
    families.map(({ name, samples }) => [name, new Set(samples.flatMap(([labels]) => Object.keys(labels)))]),
  )
  // what is selected by a label that there is not, is never found
  const selected = queries.flatMap(query => [...query.matchAll(/\b((?:xenlight)_\w+?)(?:_bucket)?\{(\w+)[=~]/g)])
  t.ok(selected.length > 20)
  t.strictSame(
    selected.filter(([, name, label]) => !labels.get(name!)?.has(label!)).map(([all]) => all),
    [],
  )
})

t.test('states of alerts are states that there are', async t => {
  const states = new Map(families.map(({ name, samples }) => [name, new Set(samples.map(([{ state = '' }]) => state))]))
  const asked = rules.flatMap(({ expr }) => [...expr.matchAll(/(\w+)\{state=~?"([^"]+)"\}/g)])
  t.ok(asked.length > 10)
  for (const [, name, wanted] of asked)
    for (const state of wanted!.split('|')) t.ok(states.get(name!)?.has(state), `${name}: ${state}`)
})

t.test('every alert has a test in which it comes', async t => {
  const { tests } = parse(read('metrics/alerts.test.yml')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: object[] }[] }[]
  }
  const all = tests.flatMap(({ alert_rule_test }) => alert_rule_test)
  const coming = new Set(all.filter(({ exp_alerts }) => exp_alerts.length > 0).map(({ alertname }) => alertname))
  t.strictSame(
    rules.map(({ alert }) => alert).filter(alert => !coming.has(alert)),
    [],
  )
})

t.test('promtool finds nothing wrong with the rules, and they do what their tests say', async t => {
  const tool = await realPart(t, promtool)
  if (tool === undefined) return
  const run = promisify(execFile)
  const cwd = join(projectRoot, 'metrics')
  const checked = await run(tool, ['check', 'rules', '--lint-fatal', 'alerts.yml'], { cwd })
  t.match(checked.stdout, new RegExp(`SUCCESS: ${rules.length} rules found`))
  const tested = await run(tool, ['test', 'rules', 'alerts.test.yml'], { cwd })
  t.match(tested.stdout, /SUCCESS/)
})

t.test('the queries of the dashboard can be read', async t => {
  const tool = await realPart(t, promtool)
  if (tool === undefined) return
  const { panels } = JSON.parse(read('metrics/dashboard.json')) as { panels: { targets: { expr: string }[] }[] }
  const rules = panels
    .flatMap(({ targets }) => targets)
    .map(({ expr }, index) => ({ record: `q${index}`, expr: expr.replaceAll('$__rate_interval', '1m') }))
  const file = join(t.testdir({ 'rules.yml': JSON.stringify({ groups: [{ name: 'dashboard', rules }] }) }), 'rules.yml')
  const { stdout } = await promisify(execFile)(tool, ['check', 'rules', file])
  t.match(stdout, new RegExp(`SUCCESS: ${rules.length} rules found`))
})

t.test('promtool finds nothing wrong with any metric', async t => {
  const tool = await realPart(t, promtool)
  if (tool === undefined) return
  t.strictSame(await checkedByPromtool(tool, expositionText(families)), '')
})

import type { Test } from 'tap'
import { realPart } from '../../support/real-part.js'
import { type TableFault, tableFaults } from './table-faults.js'
import { type Outcome, tableRun } from './table-run.js'
import type { WayName } from './way.js'

const { SEED, TABLE_RUNS } = process.env

/** Puts both ways through each fault so many times, with the same seeds, and prints the table. Ours loses nothing. */
export async function runTable(t: Test, count: number): Promise<void> {
  const [first, runs] = [Number(SEED ?? 1), Number(TABLE_RUNS ?? count)]
  const rows = ["| fault | libxl's sequence | ours |", '| --- | --- | --- |']
  let version = ''
  for (const fault of tableFaults) {
    const results: Record<WayName, Outcome[]> = { libxl: [], ours: [] }
    for (const way of ['libxl', 'ours'] as const)
      for (let seed = first; seed < first + runs; seed++)
        await t.test(`${fault.name}: ${way}, seed ${seed}`, async t => {
          const done = await realPart(t, () => oneRun(t, fault, way, seed))
          if (done === undefined) return
          version = done.version
          results[way].push(done.outcome)
          if (way === 'ours') t.strictSame(done.outcome.losses, [], `${fault.name}: seed ${seed}`)
        })
    if (results.ours.length > 0) rows.push(`| ${fault.name} | ${told(results.libxl)} | ${told(results.ours)} |`)
  }
  t.comment(`${runs} runs of each fault each way, seeds ${first} to ${first + runs - 1}, QEMU ${version}`)
  for (const row of rows) t.comment(row)
}

async function oneRun(t: Test, fault: TableFault, way: WayName, seed: number) {
  const run = await tableRun(t, way, seed, fault)
  const { major, minor, micro } = run.pair.primary.qemu.client.version
  return { outcome: await fault.happen(run), version: `${major}.${minor}.${micro}` }
}

/** How many runs lost something, and what, the most frequent first. */
function told(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>()
  for (const loss of outcomes.flatMap(({ losses }) => losses)) counts.set(loss, (counts.get(loss) ?? 0) + 1)
  const what = [...counts].sort(([, one], [, other]) => other - one).map(([loss, count]) => `${loss} (${count})`)
  const lost = outcomes.filter(({ losses }) => losses.length > 0).length
  const refused = outcomes.filter(({ refused }) => refused).length
  const rest = [...(refused > 0 ? [`${refused} refused`] : []), ...what]
  return `${lost} of ${outcomes.length}${rest.length > 0 ? `: ${rest.join(', ')}` : ''}`
}

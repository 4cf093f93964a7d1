import type { Test } from 'tap'
import { type Cases, Peers } from './case.js'
import { control } from './control.js'
import { directory } from './directory.js'
import { domains } from './domains.js'
import { limits } from './limits.js'
import { permissions } from './permissions.js'
import { pipelining } from './pipelining.js'
import { quotas } from './quotas.js'
import { specialWatches } from './special-watches.js'
import type { Subject } from './subject.js'
import { transactions } from './transactions.js'
import { tree } from './tree.js'
import { values } from './values.js'
import { watches } from './watches.js'
import { wire } from './wire.js'

const topics: Readonly<Record<string, Cases>> = {
  values,
  tree,
  directory,
  permissions,
  transactions,
  watches,
  specialWatches,
  domains,
  control,
  quotas,
  limits,
  pipelining,
  wire,
}

/** Runs every case against a store, and says how many there were and in what the store differs from the C daemon. */
export async function runCases(t: Test, subject: Subject): Promise<void> {
  const counts: string[] = []
  const different: string[] = []
  let total = 0
  for (const [topic, cases] of Object.entries(topics)) {
    const names = Object.keys(cases)
    await t.test(topic, async t => {
      for (const name of names) {
        await t.test(name, { timeout: 60_000 }, async t => {
          const differences = new Set<string>()
          const peers = new Peers(subject, await subject.connect(), `/case-${++total}`, differences)
          try {
            await cases[name]!(t, peers)
          } finally {
            t.strictSame(await peers.close(), [], 'nothing is left under way')
          }
          for (const difference of differences) different.push(`${topic}: ${name}: ${difference}`)
        })
      }
    })
    counts.push(`${names.length} of ${topic}`)
  }
  t.comment(`${subject.kind}: ${total} cases (${counts.join(', ')}), ${different.length} differences`)
  for (const difference of different) t.comment(`${subject.kind} differs: ${difference}`)
}

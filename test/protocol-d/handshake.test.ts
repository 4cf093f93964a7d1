import fc from 'fast-check'
import t from 'tap'
import { decide, type Hello, turned } from '#xenlight/protocol-d/handshake.js'

const hello = (fields: Partial<Hello> = {}): Hello => ({
  ...{ pair: 'p', size: 4096, blockSize: 4096, role: 'secondary', isWriter: false, disk: 'consistent' },
  ...{
    generation: 'g1',
    bases: [],
    history: [],
    differs: false,
    isUnfinished: false,
    checkpoint: 0,
    promotion: 0,
    discards: false,
  },
  afterSplitBrain: 'disconnect' as const,
  ...fields,
})

const primary = { role: 'primary', isWriter: true } as const
const crashed = { differs: true }
const unfinished = { differs: true, isUnfinished: true }
const wentOn = { generation: 'g2', bases: ['g1'], differs: true }

/** What both say, and who copies to whom; `!` for all blocks. */
const rows: [what: string, mine: Partial<Hello>, its: Partial<Hello>, verdict: string][] = [
  ['nothing happened', primary, {}, 'equal'],
  ['both new', { generation: '', disk: 'inconsistent' }, { generation: '', disk: 'inconsistent' }, 'undecided'],
  ['one is new', primary, { generation: '', disk: 'inconsistent' }, 'source!'],
  ['the primary had a link that was cut', { ...primary, differs: true }, {}, 'source'],
  ['the primary went on alone', { ...primary, ...wentOn }, {}, 'source'],
  ['the other one took over from a primary that crashed', crashed, { ...primary, ...wentOn }, 'target'],
  ['the other one took over in the middle of a checkpoint', unfinished, { ...primary, ...wentOn }, 'target'],
  ['a primary crashed, and nobody took over', crashed, {}, 'source'],
  ['a primary crashed in the middle of a checkpoint, and nobody took over', unfinished, {}, 'undecided'],
  ['a primary lives that did not finish its checkpoint', { ...primary, ...unfinished }, {}, 'source'],
  ['the primary is the older one', primary, { ...wentOn }, 'refused'],
  ['both went on', { ...wentOn, ...primary }, { ...wentOn, generation: 'g3' }, 'refused'],
  ['both went on, one says that it does not count', wentOn, { ...wentOn, generation: 'g3', discards: true }, 'source'],
  ['the newer one says that it does not count', { ...wentOn, discards: true }, {}, 'target'],
  ['half a copy', primary, { disk: 'inconsistent', generation: 'g1' }, 'source'],
  ['half a copy, of a source that went on', { ...primary, ...wentOn }, { disk: 'inconsistent' }, 'source'],
  ['half a copy of something else', primary, { disk: 'inconsistent', generation: 'x' }, 'source!'],
  ['acknowledged from memory, and crashed', { ...primary, differs: true }, { disk: 'outdated' }, 'source'],
  ['nothing consistent is left', { disk: 'inconsistent' }, { disk: 'outdated' }, 'refused'],
  ['too long ago for the bitmap', { generation: 'g9', bases: ['g8'], history: ['g1'] }, {}, 'source!'],
  ['nothing in common', { generation: 'x' }, {}, 'refused'],
  ['nothing in common, and one does not count', { generation: 'x' }, { discards: true }, 'source!'],
  ['another pair', { pair: 'q' }, {}, 'refused'],
  ['another size', { size: 8192 }, {}, 'refused'],
]

const shown = (verdict: ReturnType<typeof decide>) =>
  `${verdict.kind}${'isFull' in verdict && verdict.isFull ? '!' : ''}`

for (const [what, mine, its, verdict] of rows)
  t.test(what, t => {
    const found = decide(hello(mine), hello(its))
    t.equal(shown(found), verdict, 'why' in found ? found.why : '')
    t.equal(shown(turned(decide(hello(its), hello(mine)))), verdict, 'from the other side')
    t.end()
  })

t.test('discard-secondary: the one that is Primary counts', t => {
  const discard = { afterSplitBrain: 'discard-secondary' } as const
  const [mine, its] = [
    { ...wentOn, ...primary },
    { ...wentOn, generation: 'g3' },
  ]
  t.equal(decide(hello({ ...mine, ...discard }), hello({ ...its, ...discard })).kind, 'source')
  for (const [one, other] of [
    [discard, {}],
    [{}, discard],
  ])
    t.equal(decide(hello({ ...mine, ...one }), hello({ ...its, ...other })).kind, 'refused', 'where both say so')
  t.end()
})

t.test('whatever two nodes say: both come to one answer, and a Primary is never overwritten', t => {
  const generation = fc.constantFrom('', 'g1', 'g2', 'g3')
  const some = fc.subarray(['g1', 'g2', 'g3'])
  const hellos = fc
    .record({
      role: fc.constantFrom('primary' as const, 'secondary' as const),
      disk: fc.constantFrom('consistent' as const, 'inconsistent' as const, 'outdated' as const),
      generation,
      bases: some,
      history: some,
      differs: fc.boolean(),
      isUnfinished: fc.boolean(),
      discards: fc.boolean(),
      afterSplitBrain: fc.constantFrom('disconnect' as const, 'discard-secondary' as const),
    })
    .map(hello)
  fc.assert(
    fc.property(hellos, hellos, (mine, its) => {
      const verdict = decide(mine, its)
      const other = turned(decide(its, mine))
      if (shown(verdict) !== shown(other)) return false
      if (verdict.kind === 'target') return mine.role === 'secondary' && its.disk === 'consistent'
      return verdict.kind !== 'source' || (its.role === 'secondary' && mine.disk === 'consistent')
    }),
    { numRuns: 20_000 },
  )
  t.pass('20000 pairs')
  t.end()
})

import t from 'tap'
import { branchPromotion, promotionBranch } from '#xenlight/cluster/group-names.js'
import { mayPromoteAgent, mayPromoteHub } from '#xenlight/cluster/group-promotion.js'

const facts = { number: 0, clean: undefined, epoch: 0 }
const newest = { position: 1, time: 1 }

t.test("the agent's disks: not where the hub was promoted and has not given back", async t => {
  for (const [epoch, last, may] of [
    [0, 0, true],
    [3, 0, true],
    [1, 2, false],
    [2, 2, false],
    [3, 2, true],
  ] as const)
    t.equal(mayPromoteAgent({ epoch }, { ...facts, epoch: last }).may, may, `${epoch} after ${last}`)
})

const clean = { ...facts, number: 1001, clean: 'cluster-clean-1001' }

for (const [what, status, known, checkpoints, mayLose, lost] of [
  ['all was handed over', { state: 'disconnected', newest }, clean, ['cluster-clean-1001'], undefined, 0],
  [
    'the hub has all, whatever may be lost',
    { state: 'protected', newest, mayLack: 1 },
    clean,
    ['cluster-clean-1001'],
    5,
    0,
  ],
  [
    'its hub has lost the checkpoint',
    { state: 'protected', newest, mayLack: 1 },
    clean,
    ['cluster-clean-1'],
    undefined,
    'none',
  ],
  [
    'guests have written since',
    { state: 'disconnected', newest, mayLack: 9 },
    facts,
    ['cluster-clean-1001'],
    undefined,
    'none',
  ],
  ['within what may be lost', { state: 'disconnected', newest, mayLack: 9 }, facts, [], 10, 9],
  ['exactly that', { state: 'disconnected', newest, mayLack: 10 }, facts, [], 10, 10],
  ['more than that', { state: 'disconnected', newest, mayLack: 10.1 }, facts, [], 10, 'none'],
  ['nothing is known of it', { state: 'disconnected', newest }, facts, [], 1e6, 'none'],
  ['no moment', { state: 'syncing', mayLack: 0 }, clean, ['cluster-clean-1001'], 1e6, 'none'],
  ['its files fail', { state: 'failed', newest, mayLack: 0 }, clean, ['cluster-clean-1001'], 1e6, 'none'],
  ['on its way back', { state: 'returning', newest, mayLack: 0 }, clean, ['cluster-clean-1001'], 1e6, 'none'],
  ['it was promoted already', { state: 'failed-over', newest }, facts, [], undefined, 0],
  ['that was begun', { state: 'failing-over', newest }, facts, [], undefined, 0],
] as const)
  t.test(`the hub's copy: ${what}`, async t => {
    const leave = mayPromoteHub({ status, facts: known, checkpoints: new Set(checkpoints), mayLose })
    if (lost === 'none') t.match(leave, { may: false, why: /./ })
    else t.same(leave, { may: true, lost })
  })

t.test("a branch has its promotion's number", async t => {
  t.equal(branchPromotion(promotionBranch(2002)), 2002)
  for (const name of [undefined, 'cluster-', 'cluster-x', 'standby', 'cluster-1234567890123456'])
    t.equal(branchPromotion(name), 0, `${name}`)
})

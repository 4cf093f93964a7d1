import t from 'tap'
import type { DiskRecord, DiskSight } from 'xenlight/colo'
import { worthOf } from '#xenlight/cluster/colo/disk-worth.js'
import { newRecord } from '#xenlight/cluster/colo/node-record.js'

const overlays = { active: '/a', hidden: '/h' }
type State = DiskRecord['state']

function sight(
  role: DiskSight['role'],
  state: State | undefined,
  more: Partial<DiskRecord> = {},
  kind = 'replicating',
) {
  const record = state && { disk: 'd', epoch: 1001, state, why: '', at: '', ...more }
  const secondary = { kind: role === 'secondary' ? kind : 'missing' }
  return {
    disk: 'd',
    role,
    primary: {},
    secondary,
    image: {},
    record,
    recordProblem: undefined,
  } as unknown as DiskSight
}

const cases: [string, DiskSight, string][] = [
  ['a secondary that is replicated to', sight('secondary', 'replicating'), 'checkpoint'],
  ['whose QEMU was started anew', sight('secondary', 'replicating', {}, 'ready'), 'unknown'],
  ['and stands as a primary', sight('primary', 'replicating'), 'unknown'],
  ['an interrupted take-over', sight('primary', 'failing-over', { overlays }), 'checkpoint'],
  ['one whose overlays are not recorded', sight('primary', 'failing-over'), 'unknown'],
  ['half a copy', sight('secondary', 'syncing'), 'half'],
  ['the primary went on alone', sight('secondary', 'outdated'), 'outdated'],
  ['a primary', sight('primary', 'replicated'), 'whole'],
  ['a primary alone', sight('primary', 'alone'), 'whole'],
  ['a primary whose disk failed', sight('primary', 'replicated', { failing: 'a write' }), 'unknown'],
  ['a new disk', sight('primary', undefined), 'new'],
  ['no disk of COLO', sight('none', undefined), 'unknown'],
]
for (const [what, disk, worth] of cases) t.equal(worthOf([disk], newRecord, 'anna'), worth, what)

const later = { ...newRecord, promotion: 2002 }
t.equal(worthOf([sight('primary', 'alone')], { ...later, by: 'berta' }, 'anna'), 'outdated', 'another one was promoted')
t.equal(worthOf([sight('primary', 'alone')], { ...later, by: 'anna' }, 'anna'), 'whole', 'its own promotion, begun')
t.equal(
  worthOf([sight('primary', 'alone'), sight('secondary', 'replicating')], newRecord, 'anna'),
  'whole',
  'the worst counts',
)
t.equal(worthOf([{ ...sight('primary', 'alone'), recordProblem: 'damaged' }], newRecord, 'anna'), 'unknown')

import fc from 'fast-check'
import t from 'tap'
import { readPairRecord } from '#xenlight/leased-pair/pair-record.js'
import { anna, berta, record } from './played-status.js'

t.test('what was written is read again', t => {
  for (const one of [
    record(),
    record({ alone: anna }),
    record({ nodes: [berta], forced: { node: berta, promotion: 2, reason: 'anna burnt down' }, isForced: true }),
  ])
    t.same(readPairRecord(JSON.parse(JSON.stringify(one))), one)
  t.same(readPairRecord({ ...record(), more: 1 }), record(), 'what a later version adds is left out')
  t.end()
})

t.test('what is no record of a pair is none', t => {
  const node = { name: 'carla', side: 'none' }
  for (const more of [
    ...[{ nodes: undefined }, { nodes: [node] }, { nodes: [anna, berta, anna] }, { primary: null }, { primary: node }],
    ...[{ nbd: 7 }, { nbd: 'x'.repeat(10_001) }, { promotion: '3' }, { promotion: -1 }, { promotion: 1.5 }],
    ...[{ alone: undefined }, { alone: node }, { alone: anna, state: 'equal' }, { state: 'alone' }, { state: '' }],
    ...[{ forced: undefined }, { forced: { node: anna, promotion: 1, reason: '' } }, { isForced: 'yes' }],
    ...[{ forced: { node, promotion: 1, reason: 'x' } }, { primary: { name: 'x'.repeat(201), side: 'listen' } }],
  ])
    t.equal(readPairRecord({ ...record(), ...more }), undefined, JSON.stringify(more).slice(0, 80))
  fc.assert(fc.property(fc.anything(), value => readPairRecord(value) === undefined))
  t.end()
})

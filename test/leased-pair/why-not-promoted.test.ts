import t from 'tap'
import { isGivenUp, whyNotPromoted } from '#xenlight/leased-pair/why-not-promoted.js'
import { splitBrain } from '#xenlight/protocol-d/handshake.js'
import { anna, berta, record, secondary } from './played-status.js'

t.test('a Secondary may be promoted with what nobody else has more of', t => {
  t.equal(whyNotPromoted(secondary(), record(), anna), undefined, 'its Primary was promised nothing without it')
  t.equal(whyNotPromoted(secondary(), record({ alone: anna }), anna), undefined, 'it went on alone itself')
  t.equal(whyNotPromoted(secondary({ connection: 'equal' }), 'none', anna), undefined, 'both hold the same')
  t.equal(whyNotPromoted(secondary({ connection: 'undecided' }), record(), anna), undefined)
  const refused = secondary({ connection: 'refused', isRefused: true, why: splitBrain })
  t.equal(
    whyNotPromoted(refused, record({ alone: anna }), anna),
    undefined,
    'of a split brain it is the side that counts',
  )
  t.equal(whyNotPromoted(secondary({ connection: 'equal', promotion: 9 }), record(), anna), undefined)
  t.end()
})

t.test('it may not with what may lack something', t => {
  const lacks = [
    [secondary(), record({ alone: berta }), /^berta went on alone, and has what is missing here$/],
    [secondary({ connection: 'equal' }), record({ alone: berta }), /^berta went on alone/],
    [secondary(), record({ alone: { ...anna, side: 'connect' } }), /^anna went on alone/],
    [secondary(), 'none', /--force-lease/],
    [secondary(), 'unknown', /was not read/],
    [secondary(), 'unreadable', /no pair's record/],
    [secondary({ promotion: 4 }), record(), /a promotion of 4 was made that the catalogue does not know/],
    [secondary({ disk: 'inconsistent' }), record({ alone: anna }), /half a copy/],
    [secondary({ disk: 'outdated' }), record(), /older than the peer's/],
    [secondary({ disk: 'inconsistent', generation: '' }), 'none', /new: .*--force-lease/],
    [secondary({ connection: 'target' }), record(), /brought up to date/],
    [secondary({ connection: 'hello' }), record(), /being decided/],
    [secondary({ isRefused: true }), record(), /do not fit together/],
    [secondary({ failure: 'EIO' }), record({ alone: anna }), /a file of the node failed/],
    [secondary({ fencedBy: 4 }), record(), /later promotion/],
  ] as const
  for (const [status, known, why] of lacks) t.match(whyNotPromoted(status, known, anna), why)
  t.end()
})

t.test('what it wrote is given up where the other one alone may be promoted, unless an operator said so', t => {
  const split = secondary({ connection: 'refused', isRefused: true, why: splitBrain })
  t.equal(isGivenUp(split, record({ alone: berta }), anna), true)
  const kept = [
    [split, record({ alone: berta, isForced: true })],
    [split, record({ alone: anna })],
    [split, record()],
    [split, 'none'],
    [split, 'unreadable'],
    [{ ...split, discards: true }, record({ alone: berta })],
    [{ ...split, role: 'primary' }, record({ alone: berta })],
    [{ ...split, why: 'the disks are not of one size' }, record({ alone: berta })],
    [secondary(), record({ alone: berta })],
  ] as const
  for (const [status, known] of kept) t.equal(isGivenUp(status, known, anna), false)
  t.end()
})

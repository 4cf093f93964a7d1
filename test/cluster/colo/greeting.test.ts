import t from 'tap'
import { newNonce, readHello, readVisit, readWelcome, signed, type Visit } from '#xenlight/cluster/colo/greeting.js'

const key = 'a name that nobody guesses'
const [theirs, ours] = [newNonce(), newNonce()]
const visit: Visit = { channel: 'qmp', promotion: 1001, node: 'anna', isForced: false, nonce: ours }
const lineOf = (text: string) => text.replace(/\n$/, '')

t.test('a greeting is read as it was said', async t => {
  t.strictSame(readHello(lineOf(signed({ nonce: theirs }, key)), key), { nonce: theirs })
  t.strictSame(readVisit(lineOf(signed(visit, key, theirs)), key, theirs), visit)
  for (const welcome of [
    { isIn: true, promotion: 1001 },
    { isIn: false, promotion: 2002, isForced: true, why: 'over' },
  ] as const)
    t.strictSame(readWelcome(lineOf(signed(welcome, key, ours)), key, ours), welcome)
})

t.test('who does not know the name, or repeats what was said to another one, says nothing', async t => {
  const line = lineOf(signed(visit, key, theirs))
  t.equal(readVisit(line, 'another', theirs), undefined)
  t.equal(readVisit(line, key, newNonce()), undefined)
  t.equal(readVisit(line.replace('1001', '9001'), key, theirs), undefined)
  t.equal(readWelcome(line, key, theirs), undefined, 'a line of another kind')
  for (const garbage of ['', 'x', '{}', `${'0'.repeat(64)} {}`, `${'0'.repeat(64)} {"nonce":1}`]) {
    t.equal(readHello(garbage, key), undefined)
    t.equal(readVisit(garbage, key, theirs), undefined)
    t.equal(readWelcome(garbage, key, theirs), undefined)
  }
})

t.test('what the peer says is looked at', async t => {
  for (const wrong of [
    { channel: 'other' },
    { promotion: 0 },
    { promotion: 2 ** 31 },
    { promotion: 1.5 },
    { node: '../x' },
    { isForced: 'yes' },
    { nonce: '' },
  ])
    t.equal(
      readVisit(lineOf(signed({ ...visit, ...wrong } as Visit, key, theirs)), key, theirs),
      undefined,
      JSON.stringify(wrong),
    )
})

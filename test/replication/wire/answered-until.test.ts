import t from 'tap'
import { AnsweredUntil } from '#xenlight/replication/wire/answered-until.js'

t.test('what the other end has received was sent before it spoke', async t => {
  const answered = new AnsweredUntil()
  t.equal(answered.time, undefined)
  answered.sent(100, 1000)
  answered.took(99)
  t.equal(answered.time, undefined, 'not all of it')
  answered.sent(140, 2000)
  answered.sent(180, 3000)
  answered.took(150)
  t.equal(answered.time, 2000)
  answered.took(150)
  t.equal(answered.time, 2000, 'the same again')
  answered.took(180)
  t.equal(answered.time, 3000)
})

t.test('one that never answers costs no memory, and is known by the oldest', async t => {
  const answered = new AnsweredUntil()
  for (let at = 1; at <= 1000; at++) answered.sent(at, at)
  answered.took(1000)
  t.ok(answered.time! < 100, 'no later than it can know')
})

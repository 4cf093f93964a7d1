import t from 'tap'
import { withPriority } from '#xenlight/service/log-level.js'

t.test('each line has its priority', async t => {
  t.equal(withPriority('error', 'one\ntwo\n'), '<3>one\n<3>two\n')
  t.equal(withPriority('warning', 'one'), '<4>one')
  t.equal(withPriority('info', ''), '')
})

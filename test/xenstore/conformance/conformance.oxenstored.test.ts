import t from 'tap'
import { startXenstored } from '../../real/xenstored.js'
import { realPart } from '../../support/real-part.js'
import { daemonSubject } from './daemon-subject.js'
import { runCases } from './run-cases.js'

t.test('oxenstored', async t => {
  const daemon = await realPart(t, () => startXenstored('oxenstored'))
  if (!daemon) return
  await using _ = daemon
  await runCases(t, daemonSubject(daemon))
})

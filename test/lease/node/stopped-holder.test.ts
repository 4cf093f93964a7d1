import t from 'tap'
import { realPart } from '../../support/real-part.js'
import { startEtcd } from './etcd-daemons.js'
import { stopHolder } from './stopped-holder.js'

const ttl = 2000

t.test('a holder that is stopped past its ttl and goes on writes nothing that counts', t =>
  realPart(t, async () => {
    const { late, gap } = await stopHolder(t, await startEtcd(t), { ttl, before: 0, longer: 100, way: 'careful' })
    // one only, where it was stopped between the question and the line
    t.ok(late <= 1, `${late} late lines`)
    t.comment(`lines: ${gap} ms between the last one that counts and the next holder's first`)
  }),
)

t.test('one that asks a timer writes late lines, which a reader refuses by their epoch', t =>
  realPart(t, async () => {
    const cluster = await startEtcd(t)
    for (let tries = 0; tries < 10; tries++) {
      const { late } = await stopHolder(t, cluster, { ttl, before: 0, longer: 100, way: 'careless' })
      if (late <= 1) continue
      t.pass(`${late} late lines, at try ${tries + 1}`)
      return
    }
    t.fail('it did not in 10 tries')
  }),
)

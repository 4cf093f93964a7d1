import t from 'tap'
import { runReplicas } from './run-replicas.js'

t.test('300 guests whose hub, agent or link fails at random', t => runReplicas(t, 'inline', 300))

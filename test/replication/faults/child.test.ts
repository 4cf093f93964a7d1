import t from 'tap'
import { runReplicas } from './run-replicas.js'

t.test('guests whose hub, agent or link fails at random', t => runReplicas(t, 'child', 1))

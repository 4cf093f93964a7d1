import t from 'tap'
import { runReplicas } from './run-replicas.js'

t.test('50 guests whose hub, agent, QEMU or link fails at random', t => runReplicas(t, 'child', 50))

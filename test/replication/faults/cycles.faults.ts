import t from 'tap'
import { runReplicas } from './run-replicas.js'

t.test('150 guests whose hub, agent, QEMU or link fails at random', t => runReplicas(t, 'cycles', 150))

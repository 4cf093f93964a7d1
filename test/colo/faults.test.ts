import { test } from 'tap'
import { runFaults } from './run-faults.js'

// npm run test:faults does more of them
test('a COLO pair loses no checkpoint under faults', t => runFaults(t, 2))

import { test } from 'tap'
import { runFaults } from './run-faults.js'

test('a COLO pair loses no checkpoint under 300 faults', { timeout: 3_000_000 }, t => runFaults(t, 300))

import t from 'tap'
import { runTable } from './libxl-table/run-table.js'

// docs/colo-libxl.md has what `SEED=1 TABLE_RUNS=10` prints
t.test("libxl's sequence and ours under the same faults", { timeout: 1_200_000 }, t => runTable(t, 5))

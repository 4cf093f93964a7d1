import t from 'tap'
import { crashRuns } from './crash-runs.js'

// npm run test:faults has more of the steps
crashRuns(t, 97)

import t from 'tap'
import { crashRuns } from './crash-runs.js'

crashRuns(t, 2)

import t from 'tap'
import { checkGoldenDisks } from './golden-disks.js'

// all of them are the long run's
await checkGoldenDisks(t, { every: 40, mixtures: 10 })

import t from 'tap'
import { checkGoldenDisks } from './golden-disks.js'

await checkGoldenDisks(t, { every: 1, mixtures: 80 })

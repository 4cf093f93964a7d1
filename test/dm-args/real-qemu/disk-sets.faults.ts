import t from 'tap'
import { checkGoldenDisks } from './golden-disks.js'

const { SETS } = process.env

/** Of how many goldens one is started: SETS. All are by default. */
await checkGoldenDisks(t, { every: Number(SETS ?? 1), mixtures: 80 })

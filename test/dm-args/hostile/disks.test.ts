import t from 'tap'
import { tryHostileNames } from './try-hostile-names.js'

const { NAMES } = process.env

await tryHostileNames(t, Number(NAMES ?? 200))

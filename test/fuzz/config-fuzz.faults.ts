import t from 'tap'
import { againstLibxlutil } from './against-libxlutil.js'
import { configs } from './configs.js'

await againstLibxlutil(t, { what: 'configurations', count: 20_000, of: configs })

import t from 'tap'
import { againstLibxlutil } from './against-libxlutil.js'
import { disks } from './disks.js'

await againstLibxlutil(t, { what: 'disks', count: 20_000, of: disks })

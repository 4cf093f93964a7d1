import { join } from 'node:path'
import { startLibxlutil } from '../test/real/libxlutil.js'
import { projectRoot } from '../test/support/project-root.js'
import { benchArguments } from './arguments.js'
import { benchBatch } from './batch.js'
import { benchColo } from './colo.js'
import { benchDrbd } from './drbd.js'
import { benchListDisks } from './list-disks.js'
import { benchNbd } from './nbd.js'
import { benchParse } from './parse.js'
import { benchParseEach } from './parse-each.js'
import { benchProtocolD } from './protocol-d.js'
import { replicationBenches } from './replication.js'
import { benchStart } from './start.js'
import { benchXenstore } from './xenstore.js'

const command = join(projectRoot, 'dist/bin/xl-disk-parse.cjs')

const benches: Record<string, () => Promise<string>> = {
  async parse() {
    using libxlutil = startLibxlutil()
    return `${await benchParseEach(libxlutil)}\n\n${await benchParse(libxlutil)}`
  },
  arguments: async () => benchArguments(),
  start: async () => benchStart(command),
  batch: () => benchBatch(command),
  'list-disks': () => benchListDisks(),
  xenstore: () => benchXenstore(),
  colo: () => benchColo(),
  nbd: () => benchNbd(),
  'protocol-d': () => benchProtocolD(),
  drbd: () => benchDrbd(),
  ...replicationBenches,
}

/** A name stands for a bench, or for all whose names begin with it: `replication`. */
const isNamed = (bench: string, name: string) => bench === name || bench.startsWith(`${name}-`)

const names = process.argv.slice(2)
const unknown = names.filter(name => !Object.keys(benches).some(bench => isNamed(bench, name)))
if (unknown.length > 0) {
  console.error(`no bench ${unknown.join(', ')}: there are ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
for (const [name, bench] of Object.entries(benches))
  if (names.length === 0 || names.some(one => isNamed(name, one))) console.log(`${await bench()}\n`)

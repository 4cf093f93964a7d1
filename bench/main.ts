import { join } from 'node:path'
import { startLibxlutil } from '../test/real/libxlutil.js'
import { projectRoot } from '../test/support/project-root.js'
import { benchArguments } from './arguments.js'
import { benchBatch } from './batch.js'
import { benchListDisks } from './list-disks.js'
import { benchParse } from './parse.js'
import { benchParseEach } from './parse-each.js'
import { benchStart } from './start.js'
import { benchXenstore } from './xenstore.js'

const command = join(projectRoot, 'dist/bin/xl-disk-parse.cjs')

using libxlutil = startLibxlutil()
console.log(`${await benchParseEach(libxlutil)}\n`)
console.log(`${await benchParse(libxlutil)}\n`)
console.log(`${benchArguments()}\n`)
console.log(`${benchStart(command)}\n`)
console.log(`${await benchBatch(command)}\n`)
console.log(`${await benchListDisks()}\n`)
console.log(await benchXenstore())

// A guest on a node of the cluster: it writes numbered sectors one after the other to the disk of a group, be it the agent's or the hub's,
// and says in a file which numbers were durable there. One that loses its disk ends.
import { Buffer } from 'node:buffer'
import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connectNbd } from 'xenlight/nbd'
import { newestOf, sectorOf, sectorSize, sectors } from './numbered-sectors.js'

const [, , , logs = ''] = process.argv
const log = join(logs, `${process.hrtime.bigint()}.${process.pid}`)
const say = (what: string) => appendFileSync(log, `${process.hrtime.bigint()} ${what}\n`)

const places = ['/run/repagent/web.root.sock', '/run/rephub/nbd.sock']
const disk = await connectNbd({ path: places.find(path => existsSync(path))! }, { export: 'web/root' })

let number = newestOf(Buffer.from(await disk.read(0, sectors * sectorSize)))
say(`start ${number}`)
for (;;) {
  for (let count = 0; count < 4; count++) {
    number++
    await disk.write((number % sectors) * sectorSize, sectorOf(number))
  }
  await disk.flush()
  say(`promised alone ${number}`)
  await pause(20)
}

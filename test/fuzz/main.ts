import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { startLibxlutil } from '../real/libxlutil.js'
import { fuzzDisks } from './fuzz-disks.js'

const help = `npm run fuzz -- [--seed N] [--count N] [--master DRIVER]

Asks libxlutil and our parser the same generated disks, and stops at the first difference in its smallest form.
  --seed N         which ones (default: a random number, printed)
  --count N        how many (default 1000000)
  --master DRIVER  a libxlutil-driver linked with the libxlutil of Xen's master, which is then asked about trusted,
                   untrusted and grant_usage as well`

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(randomInt(2 ** 32)) },
    count: { type: 'string', default: '1000000' },
    master: { type: 'string' },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  console.log(help)
} else {
  const seed = Number(values.seed)
  const count = Number(values.count)
  console.log(`seed ${seed}, ${count} disks`)
  using libxlutil = startLibxlutil(values.master)
  const start = performance.now()
  const { tried, accepted, crashes, finding } = await fuzzDisks(libxlutil, {
    seed,
    count,
    master: values.master !== undefined,
  })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${tried} tried, ${accepted} accepted by libxlutil, ${crashes} ended its process, ${seconds} s`)
  console.log(finding ? `\nA difference, disk ${tried}:\n${finding}` : 'no difference')
  process.exitCode = finding ? 1 : 0
}

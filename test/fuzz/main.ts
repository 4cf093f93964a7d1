import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { startLibxlutil } from '../real/libxlutil.js'
import { configs } from './configs.js'
import { disks } from './disks.js'
import { fuzz } from './fuzz.js'

const help = `npm run fuzz -- [--seed N] [--count N] [--config | --master DRIVER]

Asks libxlutil and our parser the same generated disks, and stops at the first difference in its smallest form.
  --seed N         which ones (default: a random number, printed)
  --count N        how many (default 1000000)
  --config         domain configurations instead of disks
  --master DRIVER  a libxlutil-driver linked with the libxlutil of Xen's master, which is then asked about trusted,
                   untrusted and grant_usage as well`

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(randomInt(2 ** 32)) },
    count: { type: 'string', default: '1000000' },
    config: { type: 'boolean', default: false },
    master: { type: 'string' },
    help: { type: 'boolean' },
  },
})

if (values.help) console.log(help)
else await run()

async function run(): Promise<void> {
  const { seed, count, config, master } = values
  console.log(`seed ${seed}, ${count} ${config ? 'configurations' : 'disks'}`)
  using libxlutil = startLibxlutil(master)
  const run = (seed: number, count: number) =>
    config
      ? fuzz(configs(libxlutil), seed, count)
      : fuzz(disks(libxlutil, { master: master !== undefined }), seed, count)
  const start = performance.now()
  const { tried, accepted, crashes, finding } = await run(Number(seed), Number(count))
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${tried} tried, ${accepted} accepted by libxlutil, ${crashes} ended its process, ${seconds} s`)
  console.log(finding ? `\nA difference, number ${tried}:\n${finding}` : 'no difference')
  process.exitCode = finding ? 1 : 0
}

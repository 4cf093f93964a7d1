// A process of its own for lock-domain.test.ts: holds a domain's lock, or counts in its configuration under it.
import { setTimeout as delay } from 'node:timers/promises'
import { userdataIn } from '#xenlight/libxl/userdata/userdata-folder.js'

const [, , job, folder = '', uuid = '', rounds] = process.argv
const lock = userdataIn(folder)
const domain = { domid: 11, uuid }
const options = { timeout: 600_000 }

async function count(): Promise<void> {
  for (let round = 0; round < Number(rounds); round++) {
    const held = await lock(domain, options)
    const before = Number(await held?.readConfig())
    await delay(1)
    await held?.writeConfig(String(before + 1))
    await held?.release()
  }
}

if (job === 'hold') {
  await lock(domain, options)
  console.log('locked')
  process.stdin.resume()
} else {
  await Promise.all([count(), count()])
}

// Holds a lease whenever it can, and writes lines to a file that others write to, each with its epoch, as long as it has it.
// Arguments: the endpoints, a comma between; the file; the lease's name; the holder's; the ttl; 'careful', or 'careless' for one that asks a timer alone.
import { appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type Grant, holdLease, type LeaseStore, openEtcd } from 'xenlight/lease'
import { plants } from '../model/planted-keepers.js'

const [endpoints = '', file = '', name = '', holder = '', ttlText = '', way] = process.argv.slice(2)
const ttl = Number(ttlText)
/** So many are written before anything else is done, a timer called, say. */
const linesAtOnce = 10
const { leases } = openEtcd({ endpoints: endpoints.split(',') })

async function careless(store: LeaseStore) {
  for (;;) {
    try {
      const grant: Grant = await store.acquire(name, { holder, ttl })
      return plants['a timer and no margin']!.keeper!(store, grant)
    } catch {
      await delay(50)
    }
  }
}

for (;;) {
  const keeper =
    way === 'careless' ? await careless(leases) : await holdLease(leases, name, { holder, ttl, wait: true })
  const { epoch } = keeper
  process.stdout.write(`held ${epoch}\n`)
  await new Promise<void>(resolve => {
    let number = 0
    const timer = setInterval(() => {
      for (let line = 0; line < linesAtOnce && keeper.isHeld(); line++) {
        const time = Math.round(performance.timeOrigin + performance.now())
        appendFileSync(file, `${epoch} ${++number} ${holder} ${time}\n`)
      }
      if (keeper.isHeld()) return
      clearInterval(timer)
      resolve()
    }, 5)
  })
  process.stdout.write(`lost ${epoch} ${keeper.renewals}\n`)
}

// A hub of its own for term.faults.ts: claims a folder, and says by line what it sees of it, each time it is asked.
import { createInterface } from 'node:readline'
import { claimTerm } from '#xenlight/replication/node/term.js'

const [, , folder = '', who = '', how = ''] = process.argv
const noLocks = () => Promise.reject(new Error('there are no locks'))

try {
  const takeOver = how.includes('take-over')
  const term = await claimTerm(folder, { who, takeOver, ...(how.includes('no-locks') && { lock: noLocks }) })
  console.log(`term ${term.number}`)
  for await (const line of createInterface(process.stdin)) {
    if (line === 'release') {
      await term.release()
      process.exit()
    }
    console.log(term.stillOwns() ? 'mine' : `lost to ${term.owner()}`)
  }
} catch (error) {
  console.log((error as Error).message)
  process.exitCode = 1
}

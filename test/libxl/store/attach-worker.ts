// Attaches a disk to domain 11 for each line of its input, and says how it went: a process that a test stops, continues and kills.
// Usage: attach-worker.js SOCKET BACKEND-TIMEOUT
import { createInterface } from 'node:readline'
import { addDisk, LibxlError, parseDisk } from 'xenlight'
import { connect } from 'xenlight/xenstore'
import { hostWhere } from '../../support/disk-store.js'

const [path = '', timeout] = process.argv.slice(2)
await using store = await connect({ path })
for await (const spec of createInterface(process.stdin)) {
  try {
    const host = hostWhere(() => 'block')
    await addDisk(store, parseDisk(spec), { domid: 11, host, timeouts: { backend: Number(timeout), settle: 20 } })
    console.log('attached')
  } catch (error) {
    console.log(error instanceof LibxlError ? error.reason : String(error))
  }
}

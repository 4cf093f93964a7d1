/**
 * A session over file 3 as if it were /dev/xen/xenbus; says what came of it, or with "exit" leaves in the middle, with "watch"
 * watches, where the kernel refuses what is below /refused.
 */

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { openXenstore } from 'xenlight/xenstore'
import { XenbusDevice } from '#xenlight/xenstore/node/xenbus-device.js'

/** As Linux: whether the daemon takes a watch is the outcome of the write. */
function refuseWatches(): void {
  const { write } = fs
  const refusing = (fd: number, bytes: Buffer, ...rest: unknown[]) => {
    const after = rest.at(-1) as (error: NodeJS.ErrnoException) => void
    const code = bytes.readUInt32LE(0) === 4 ? /\/refused\/([A-Z]+)/.exec(bytes.toString('latin1', 16))?.[1] : undefined
    if (code === undefined) Reflect.apply(write, fs, [fd, bytes, ...rest])
    else setImmediate(() => after(Object.assign(new Error(`${code}, write`), { code })))
  }
  Object.assign(fs, { write: refusing })
  syncBuiltinESMExports()
}

if (process.argv[2] === 'watch') refuseWatches()
const store = openXenstore(new XenbusDevice(3))
if (process.argv[2] === 'watch') {
  const ready = ['/a', '/refused/ENOSPC', '/b', '/refused/EACCES', '/refused/EINVAL'].map(async path => {
    await using watch = store.watch(path)
    return await watch.ready.then(
      () => 'taken',
      ({ code, operation, path }) => `${operation} ${path} ${code}`,
    )
  })
  const watches = await Promise.all(ready)
  const read = await store.read('/a')
  const left = store.statistics.watches
  // leaves while its WATCH is being refused
  const last = store.watch('/refused/ENOSPC')
  await store.close()
  const end = await last.ready.catch(error => error.code)
  const closed = (await store.closed) ?? 'closed'
  console.log(JSON.stringify({ watches, read, left, end, closed }))
  process.exit(0)
}
const one = await store.read('/a')
const many = await Promise.all(Array.from({ length: 50 }, (_, index) => store.read(`/${index}`)))
const refused = await Promise.allSettled([store.write('/a', 'x'.repeat(4078)), store.resetWatches()])
const codes = refused.map(result => result.status === 'rejected' && result.reason.code)
// with its file still open
if (process.argv[2] === 'exit') process.exit(0)
await store.close()
const after = await store.read('/a').catch(error => error.code)
console.log(JSON.stringify({ one, many: many.filter((value, index) => value === `/${index}\0`).length, codes, after }))

/** A session over file 3 as if it were /dev/xen/xenbus; says what came of it, or with "exit" leaves in the middle. */

import { openXenstore } from 'xenlight/xenstore'
import { XenbusDevice } from '#xenlight/xenstore/node/xenbus-device.js'

const store = openXenstore(new XenbusDevice(3))
const one = await store.read('/a')
const many = await Promise.all(Array.from({ length: 50 }, (_, index) => store.read(`/${index}`)))
const refused = await Promise.allSettled([store.write('/a', 'x'.repeat(4078)), store.resetWatches()])
const codes = refused.map(result => result.status === 'rejected' && result.reason.code)
// with its file still open
if (process.argv[2] === 'exit') process.exit(0)
await store.close()
const after = await store.read('/a').catch(error => error.code)
console.log(JSON.stringify({ one, many: many.filter((value, index) => value === `/${index}\0`).length, codes, after }))

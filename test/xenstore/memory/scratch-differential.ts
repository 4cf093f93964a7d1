import fc from 'fast-check'
import { embeddedStore } from '#xenlight/xenstore/memory/index.js'
import { randomRequests } from './random-requests.js'
import { RawClient, socketDuplex } from './raw-client.js'
import { tidy, transcript } from './transcript.js'

const path = process.argv[2]!
await fc.assert(
  fc.asyncProperty(randomRequests, async requests => {
    await using store = embeddedStore()
    const ours = [new RawClient(store.duplex()), new RawClient(store.duplex())] as const
    const real = [new RawClient(await socketDuplex(path)), new RawClient(await socketDuplex(path))] as const
    await tidy(real[0])
    try {
      const a = await transcript(real, requests)
      const b = await transcript(ours, requests)
      for (let i = 0; i < Math.max(a.length, b.length); i++)
        if (a[i] !== b[i])
          throw new Error(
            `line ${i}\nreal ${a[i]?.slice(0, 300)}\nours ${b[i]?.slice(0, 300)}\n${a
              .slice(Math.max(0, i - 100), i)
              .map(l => l.slice(0, 150))
              .join('\n')}`,
          )
    } finally {
      for (const c of [...ours, real[1]]) c.close()
      await tidy(real[0])
      real[0].close()
    }
  }),
  { numRuns: Number(process.argv[3] ?? 200), ...(process.argv[4] ? { seed: Number(process.argv[4]) } : {}) },
)
console.log('same')

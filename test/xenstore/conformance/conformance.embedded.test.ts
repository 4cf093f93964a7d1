import t from 'tap'
import { openXenstore } from '#xenlight/xenstore/client.js'
import { embeddedStore } from '#xenlight/xenstore/memory/index.js'
import { runCases } from './run-cases.js'

t.test('embedded', async t => {
  await using embedded = embeddedStore()
  await runCases(t, {
    kind: 'embedded',
    connect: async (domid = 0) => openXenstore(embedded.duplex({ domid })),
    duplex: async (domid = 0) => embedded.duplex({ domid }),
  })
})

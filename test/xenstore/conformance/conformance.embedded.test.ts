import t from 'tap'
import { embeddedStore } from '#xenlight/xenstore/memory/index.js'
import { runCases } from './run-cases.js'

t.test('embedded', async t => {
  await using embedded = embeddedStore()
  await runCases(t, {
    kind: 'embedded',
    connect: async (domid = 0) => embedded.connect({ domid }),
    duplex: async (domid = 0) => embedded.duplex(domid),
  })
})

import { onEachStore } from '../support/each-store.js'

onEachStore('a node that comes with one below it is there', async (t, connect) => {
  const [store, other] = [await connect(), await connect()]
  const waiting = store.waitUntilExists('/tool/above', { timeout: 20_000 })
  await store.readIfPresent('/tool')
  await other.write('/tool/above/below', 'x')
  t.equal(await waiting, '')
})

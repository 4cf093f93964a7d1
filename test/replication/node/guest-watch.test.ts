import t from 'tap'
import { GuestWatch } from '#xenlight/replication/node/guest-watch.js'

t.test('a guest has gone when it said so, or did not come again', async t => {
  let now = 0
  const clients = new Map([['web/b/root', 1]])
  const watch = new GuestWatch(
    name => clients.get(name) ?? 0,
    () => {
      // a long look is over at once
      now += 600
      return now
    },
  )
  const names = ['web/b/root', 'web/b/data']
  t.equal(watch.clients(names), 1)
  t.equal(await watch.haveGone(names), false)
  clients.clear()
  watch.left('web/b/root', 'goodbye')
  watch.left('web/other/root', 'lost')
  t.equal(await watch.haveGone(names), true)
  watch.left('web/b/data', 'lost')
  t.equal(await watch.haveGone(names), false, 'a QEMU connects again')
  now += 15_000
  t.equal(await watch.haveGone(names), true)
  watch.left('web/b/data', 'lost')
  watch.left('web/b/data', 'goodbye')
  t.equal(await watch.haveGone(names), true, 'it came again, and took its leave')
})

t.test('nobody looks on for who has gone', async t => {
  const watch = new GuestWatch(() => 1)
  const signal = AbortSignal.abort()
  t.equal(await watch.haveGone(['web/b/root'], signal), false)
})

import t from 'tap'
import { isGuarded, PageAccess } from '#xenlight/page/node/page-access.js'

const token = 'the-secret-of-this-page-and-no-other'
const hour = 3_600_000

const accessed = () => {
  const clock = { now: 0 }
  return { clock, access: new PageAccess({ token, cookie: 'c', now: () => clock.now }) }
}

t.test('by the token', t => {
  const { access } = accessed()
  t.strictSame(access.visitor({ authorization: `Bearer ${token}` }, 'a'), { by: 'token' })
  t.strictSame(access.visitor({ authorization: `bearer ${token}` }, 'a'), { by: 'token' })
  for (const authorization of ['', token, `Basic ${token}`, `Bearer ${token}x`, `Bearer ${token.slice(1)}`, 'Bearer '])
    t.equal(access.visitor({ authorization }, authorization), undefined, authorization)
  t.equal(access.visitor({}, 'a'), undefined)
  t.end()
})

t.test('by a session, for twelve hours', t => {
  const { access, clock } = accessed()
  const id = access.begin()
  t.match(access.visitor({ cookie: `a=b; c=${id}; d` }, 'a'), { by: 'session', guard: /^[\w-]{43}$/ })
  for (const cookie of [`c=${id}x`, `x=${id}`, 'c=', `c=${'x'.repeat(5000)}`, 'c'])
    t.equal(access.visitor({ cookie }, 'a'), undefined, cookie)
  clock.now += 12 * hour
  t.ok(access.visitor({ cookie: `c=${id}` }, 'a'))
  clock.now += 1
  t.equal(access.visitor({ cookie: `c=${id}` }, 'a'), undefined)
  const other = access.begin()
  access.end({ cookie: `c=${other}` })
  t.equal(access.visitor({ cookie: `c=${other}` }, 'a'), undefined)
  t.end()
})

t.test('of very many sessions the oldest ends', t => {
  const { access } = accessed()
  const ids = Array.from({ length: 100 }, () => access.begin())
  t.equal(access.visitor({ cookie: `c=${ids[0]}` }, 'a'), undefined)
  t.ok(access.visitor({ cookie: `c=${ids.at(-1)}` }, 'a'))
  t.end()
})

t.test('wrong tries end after ten, and one comes back each six seconds', t => {
  const { access, clock } = accessed()
  const session = access.begin()
  for (let n = 0; n < 10; n++) t.equal(access.isRight('wrong', 'a'), false)
  t.equal(access.isRight('wrong', 'a'), 'limited')
  t.equal(access.isRight(token, 'a'), 'limited', 'else it would be no limit')
  t.equal(access.isRight(token, 'b'), true, 'another address has its own')
  t.ok(access.visitor({ cookie: `c=${session}` }, 'a'), 'who is in stays in')
  clock.now += 6000
  t.equal(access.isRight('wrong', 'a'), false)
  t.equal(access.isRight('wrong', 'a'), 'limited')
  clock.now += 6000
  t.equal(access.isRight(token, 'a'), true)
  for (let n = 0; n < 100; n++) t.equal(access.isRight(token, 'c'), true, 'right ones are not counted')
  t.end()
})

t.test('a change has to show that it comes from the page', t => {
  const visitor = { by: 'session', guard: 'g' } as const
  t.equal(isGuarded(visitor, { 'x-xenlight-guard': 'g' }), true)
  t.equal(isGuarded(visitor, { 'x-xenlight-guard': 'g', 'sec-fetch-site': 'same-origin' }), true)
  for (const site of ['cross-site', 'same-site', 'none'])
    t.equal(isGuarded(visitor, { 'x-xenlight-guard': 'g', 'sec-fetch-site': site }), false, site)
  t.equal(isGuarded(visitor, {}), false)
  t.equal(isGuarded(visitor, { 'x-xenlight-guard': 'h' }), false)
  t.equal(isGuarded({ by: 'token' }, {}), true, 'no browser sends that by itself')
  t.end()
})

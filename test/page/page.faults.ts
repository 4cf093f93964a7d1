import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { type PageOptions, servePage } from '#xenlight/page/node/serve-page.js'
import { PageRefusal } from '#xenlight/page/page-control.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'
import { Chromium, type Tab } from './chromium.js'
import { busyHub, coloPage, hostile, hubPage, namedPoints } from './shown.js'

const token = 'the-secret-of-this-page-and-no-other'
const desktop = { width: 1440, height: 900 }
const phone = { width: 390, height: 844 }

const browsed = (t: Test) => realPart(t, () => Chromium.start(t))

async function serving(t: Test, options: Pick<PageOptions, 'view' | 'changes'>) {
  const folder = pathToFileURL(join(projectRoot, 'page/'))
  const server = await servePage({ address: { port: 0 }, token, hosts: [], folder, every: 200, ...options })
  t.teardown(() => server[Symbol.asyncDispose]())
  return { server, url: `http://127.0.0.1:${(server.address as { port: number }).port}/` }
}

/** A hub whose time stands still, so that what is picked is the same each time. */
function standingHub(changes?: PageOptions['changes']): Pick<PageOptions, 'view' | 'changes'> {
  const now = Date.UTC(2026, 10, 28, 12)
  const page = hubPage(now)
  const pointsOf = () => namedPoints(now)
  return { view: group => page.view({ status: busyHub(now), now, group, pointsOf }), changes }
}

const standingPair = (): Pick<PageOptions, 'view'> => {
  const now = Date.UTC(2026, 10, 28, 12)
  const page = coloPage(now)
  return { view: () => page.view(now) }
}

/** Logs in as people do. */
async function logIn(tab: Tab, url: string, hash = ''): Promise<void> {
  await tab.goTo(url)
  await tab.click('#token')
  await tab.type(token)
  await tab.key('Enter', '\r')
  await tab.until(`document.querySelector('main.hub, main.colo') !== null`)
  if (hash !== '') await tab.value(`location.hash = '${hash}'`)
}

/** The contrast of all text that is seen to what is behind it: the least, with what it is of. */
const leastContrast = (tab: Tab) =>
  tab.value<{ ratio: number; text: string }>(`(() => {
    const rgb = color => color.match(/[\\d.]+/g).map(Number)
    const light = color => rgb(color).slice(0, 3).map(part => part / 255)
      .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
      .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0)
    const behind = element => {
      const { backgroundColor, fill } = getComputedStyle(element)
      const [, , , alpha = 1] = rgb(backgroundColor)
      return alpha > 0 || element.parentElement === null ? backgroundColor : behind(element.parentElement)
    }
    let least = { ratio: 21, text: '' }
    for (const element of document.querySelectorAll('body *')) {
      const text = [...element.childNodes].filter(node => node.nodeType === 3).map(node => node.data).join('').trim()
      if (text === '' || element.closest('[hidden], noscript, title, :disabled') !== null) continue
      const isDrawn = element.namespaceURI.endsWith('svg')
      const { color, fill } = getComputedStyle(element)
      const [one, other] = [light(isDrawn ? fill : color), light(behind(element))].sort((a, b) => b - a)
      const ratio = (one + 0.05) / (other + 0.05)
      if (ratio < least.ratio) least = { ratio, text }
    }
    return least
  })()`)

/** What every page has to be, at this width and in these colors. */
async function checkLooks(t: Test, tab: Tab, url: string, isHostile: string): Promise<void> {
  t.ok((await tab.value<string>('document.body.textContent')).includes(isHostile), "somebody's text is text")
  t.equal(await tab.value('window.isBroken'), undefined, 'and no script')
  t.equal(await tab.value(`document.querySelectorAll('img, body script').length`), 0)
  t.strictSame(tab.errors, [], 'nothing is complained of')
  t.strictSame(
    tab.requests.filter(request => !request.startsWith(url)),
    [],
    'nothing comes from elsewhere',
  )
  t.equal(await tab.value('document.documentElement.scrollWidth'), await tab.value('innerWidth'), 'it fits')
  const { ratio, text } = await leastContrast(tab)
  t.ok(ratio >= 4.5, `contrast of ${text}: ${ratio.toFixed(2)}`)
  const nameless = `[...document.querySelectorAll('button, input, [role=img], [tabindex="0"]')]
    .filter(one => one.checkVisibility() && !one.textContent.trim() && !one.ariaLabel && !one.labels?.length).length`
  t.equal(await tab.value(nameless), 0, 'all that can be used has a name')
}

t.test('looks of both pages, wide and narrow, light and dark', { timeout: 300_000 }, async t => {
  const browser = await browsed(t)
  if (browser === undefined) return
  const pages = { hub: await serving(t, standingHub()), colo: await serving(t, standingPair()) }
  for (const [name, { url }] of Object.entries(pages))
    for (const [size, scheme] of [
      ...([
        [desktop, 'light'],
        [desktop, 'dark'],
        [phone, 'light'],
        [phone, 'dark'],
      ] as const),
    ])
      await t.test(`${name}, ${size.width}, ${scheme}`, async t => {
        const tab = await browser.tab()
        await tab.look(size, scheme)
        await logIn(tab, url)
        if (name === 'hub') await tab.until(`document.querySelector('.journal .range') !== null`)
        await checkLooks(t, tab, url, hostile)
        const ground = await tab.value<string>('getComputedStyle(document.body).backgroundColor')
        const [red = 0] = ground.match(/\d+/g)!.map(Number)
        t.equal(red < 60 ? 'dark' : 'light', scheme)
      })
})

t.test('a hub: what is the matter, and a group that is looked at', { timeout: 120_000 }, async t => {
  const browser = await browsed(t)
  if (browser === undefined) return
  const { url } = await serving(t, standingHub())
  const tab = await browser.tab()
  await tab.look(desktop, 'light')
  await logIn(tab, url)
  await tab.until(`document.querySelector('.detail-head h2')?.textContent === 'mail'`)
  t.equal(await tab.text('#summary'), '2 groups of 10 are not protected')
  t.equal(await tab.text('#as-of'), 'Live, as of 12:00:00 UTC')
  t.equal(await tab.text('.detail-head .pill'), '■disconnected')
  t.match(await tab.value('document.title'), /^! hub backup-1/)
  // by keys: from the list to a group
  await tab.value(`document.querySelectorAll('button.group')[4].focus()`)
  await tab.key('Enter', '\r')
  await tab.until(`document.querySelector('.detail-head h2')?.textContent === 'web'`)
  t.equal(await tab.value('location.hash'), '#web')
  t.equal(
    await tab.value(`document.activeElement?.getAttribute('aria-current')`),
    'true',
    'what has the focus keeps it',
  )
  t.match(await tab.text('.hub table'), /nightly-check.*test.*rephub discard web nightly-check/)
  t.equal(await tab.value(`document.querySelector('#start-test').checkVisibility()`), false, 'nothing can be changed')
  t.match(
    await tab.value(`document.querySelector('.plot svg').ariaLabel`),
    /^A recovery now would go back: now .*target 5 s$/,
  )
  await tab.value(`document.querySelector('input[type=search]').focus()`)
  await tab.type('wik')
  await tab.until(`document.querySelectorAll('button.group').length === 1`)
  t.strictSame(tab.errors, [])
})

t.test('a moment is picked, by a pointer and by keys', { timeout: 120_000 }, async t => {
  const browser = await browsed(t)
  if (browser === undefined) return
  const { url } = await serving(t, standingHub())
  for (const size of [desktop, phone])
    await t.test(`${size.width}`, async t => {
      const tab = await browser.tab()
      await tab.look(size, 'light')
      await logIn(tab, url, 'web')
      await tab.until(`document.querySelector('#command')?.textContent === 'rephub test web'`)
      const command = () => tab.text('#command')
      await tab.click('.slider', 0.2)
      const clicked = await command()
      t.match(clicked, /^rephub test web --at 2026-11-28T06:2\d:\d\d\.\d{6}Z$/)
      t.match(await tab.text('#picked'), /^2026-11-28 06:2\d:\d\d UTC, 5\.\d h ago$/)
      await tab.until(`document.activeElement === document.querySelector('.slider')`)
      await tab.key('ArrowRight')
      const moved = await command()
      t.ok(moved > clicked, moved)
      t.equal(await tab.value(`document.querySelector('.slider').ariaValueText.slice(0, 15)`), '2026-11-28 06:2')
      await tab.key('ArrowLeft')
      t.equal(await command(), clicked)
      await tab.key('PageUp')
      t.equal(await command(), 'rephub test web --at backup')
      await tab.key('PageUp')
      t.equal(await command(), 'rephub test web --at before-update', 'it is in no range, and kept')
      await tab.key('ArrowLeft')
      t.equal(await command(), 'rephub test web --at 2026-11-28T08:50:00.000000Z', 'the last moment before a gap')
      await tab.key('Home')
      t.equal(await command(), 'rephub test web --at 2026-11-28T05:00:00.000000Z')
      await tab.key('End')
      t.equal(await command(), 'rephub test web')
      await tab.click('.journal .pick-line button:nth-child(1)')
      t.equal(await command(), 'rephub test web --at 2026-11-28T11:58:59.600000Z')
      // a closer look, around what is picked
      await tab.click('.journal .panel-head button:last-child')
      await tab.key('Tab')
      await tab.key('ArrowLeft')
      t.match(await command(), /^rephub test web --at 2026-11-28T11:58:5\d\.\d{6}Z$/)
      // what comes meanwhile changes nothing of it
      const picked = await command()
      const before = await tab.value('performance.now()')
      await tab.until(`performance.now() > ${before} + 700`)
      t.equal(await command(), picked)
      t.strictSame(tab.errors, [])
    })
})

t.test('a test is started, and one is discarded: where that is allowed', { timeout: 120_000 }, async t => {
  const browser = await browsed(t)
  if (browser === undefined) return
  const asked: unknown[] = []
  const { url } = await serving(
    t,
    standingHub({
      test: async given => {
        asked.push(['test', given])
        if (asked.length > 1) throw new PageRefusal(`there are 4 already ${hostile}`)
        return { branch: 'test-1' }
      },
      discard: async given => {
        asked.push(['discard', given])
        return {}
      },
    }),
  )
  const tab = await browser.tab()
  await tab.look(desktop, 'light')
  await logIn(tab, url, 'web')
  await tab.until(`document.querySelector('.detail-head h2')?.textContent === 'web'`)
  await tab.click('.slider', 0.001)
  await tab.key('PageUp')
  await tab.click('#start-test')
  await tab.until(`document.querySelector('.journal .result').textContent.startsWith('Started as test-1.')`)
  await tab.click('#start-test')
  await tab.until(`document.querySelector('.journal .result').textContent.startsWith('Not started: there are 4')`)
  await tab.click('.hub table button')
  await tab.until(`document.querySelector('.hub table button').textContent === 'Yes, discard'`)
  t.equal(asked.length, 2, 'it is asked whether that is meant')
  await tab.click('.hub table button')
  await tab.until(`document.body.textContent.includes('nightly-check is discarded.')`)
  t.strictSame(asked, [
    ['test', { group: 'web', at: { name: 'backup' } }],
    ['test', { group: 'web', at: { name: 'backup' } }],
    ['discard', { group: 'web', branch: 'nightly-check' }],
  ])
  t.equal(await tab.value('window.isBroken'), undefined)
  await tab.click('#logout')
  await tab.until(`location.pathname === '/login'`)
  await tab.goTo(url)
  await tab.until(`location.pathname === '/login'`)
})

t.test('a pair: both sides with their graphs', { timeout: 120_000 }, async t => {
  const browser = await browsed(t)
  if (browser === undefined) return
  const { url } = await serving(t, standingPair())
  const tab = await browser.tab()
  await tab.look(desktop, 'light')
  await logIn(tab, url)
  await tab.until(`document.querySelectorAll('.side .box').length === 20`)
  t.equal(await tab.text('#summary'), 'All 2 disks are protected')
  t.match(await tab.text('.side:nth-child(1)'), /^Primary●its guest runs/)
  t.match(
    await tab.value(`document.querySelector('.side svg').ariaLabel`),
    /virtio0\/virtio-backend reads disk0 as root/,
  )
  t.equal(await tab.value(`document.querySelectorAll('.plot .line').length`), 2)
  t.equal(await tab.value(`document.querySelectorAll('.disks .pill.good').length`), 2)
})

t.test('what is old is not said to be so now', { timeout: 120_000 }, async t => {
  const browser = await browsed(t)
  if (browser === undefined) return
  let isSilent = false
  const { view } = standingHub()
  const { server, url } = await serving(t, {
    view: group => {
      if (isSilent) throw new Error('nothing can be said')
      return view(group)
    },
  })
  const tab = await browser.tab()
  await tab.look(desktop, 'light')
  await logIn(tab, url)
  await tab.until(`document.querySelector('#as-of').textContent === 'Live, as of 12:00:00 UTC'`)
  const isStale = `document.body.classList.contains('stale') && document.querySelector('#banner').checkVisibility()`
  t.equal(await tab.value(isStale), false)
  // the server is there, and says nothing
  isSilent = true
  await tab.until(isStale)
  t.equal(await tab.text('#as-of'), 'As of 12:00:00 UTC')
  t.match(
    await tab.text('#banner'),
    /^Connection lost\. This was so at 12:00:00 UTC, [\d.]+ s ago; how it is now is not known\.$/,
  )
  isSilent = false
  await tab.until(`!(${isStale})`)
  t.equal(await tab.text('#as-of'), 'Live, as of 12:00:00 UTC')
  // the server is gone
  await server[Symbol.asyncDispose]()
  await tab.until(isStale)
  t.match(await tab.text('#banner'), /how it is now is not known/)
  // another one is there, for whom one has to log in
  const again = await servePage({
    ...{ address: server.address, token, hosts: [], every: 200, view },
    folder: pathToFileURL(join(projectRoot, 'page/')),
  })
  t.teardown(() => again[Symbol.asyncDispose]())
  await tab.until(`location.pathname === '/login'`)
})

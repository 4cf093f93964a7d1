import { change, setGuard } from './changes.js'
import { ColoPage } from './colo.js'
import { byId } from './element.js'
import { HubPage } from './hub.js'
import { Stream } from './stream.js'
import { clockText, durationText } from './texts.js'

const [title, summary, mark] = [byId('title'), byId('summary'), byId('mark')]
const [asOf, banner, main, logout] = [byId('as-of'), byId('banner'), byId('main'), byId('logout')]

/** @type {ColoPage | HubPage | undefined} */
let page
/** When what is shown was so, by the server's clock.
 * @type {number | undefined} */
let shownAt
let isControl = false

/** @param {any} view */
function show(view) {
  if (page === undefined) {
    page = view.kind === 'hub' ? new HubPage(main, select) : new ColoPage(main)
    main.removeAttribute('aria-busy')
  }
  if (page instanceof HubPage) page.allow(isControl)
  shownAt = view.at
  title.textContent = view.title
  document.title = `${view.level === 'good' || view.level === 'busy' ? '' : '! '}${view.title} – xenlight`
  if (summary.textContent !== view.summary) summary.textContent = view.summary
  mark.className = `mark ${view.level}`
  document.documentElement.setAttribute('data-level', view.level)
  page.show(view)
}

/**
 * @param {boolean} isLive
 * @param {number} silence
 */
function sayLife(isLive, silence) {
  document.body.classList.toggle('stale', !isLive)
  asOf.textContent = shownAt === undefined ? '' : `${isLive ? 'Live, as of' : 'As of'} ${clockText(shownAt)} UTC`
  banner.hidden = isLive || (shownAt === undefined && silence < 5000)
  if (banner.hidden) return
  const text =
    shownAt === undefined
      ? 'Nothing is heard of the server.'
      : `Connection lost. This was so at ${clockText(shownAt)} UTC, ${durationText(silence)} ago; how it is now is not known.`
  if (banner.textContent !== text) banner.textContent = text
}

const stream = new Stream({
  onHello: ({ control, guard }) => {
    isControl = control
    setGuard(guard)
    logout.hidden = guard === null
  },
  onView: show,
  onLife: sayLife,
})

/** @param {string} group */
function select(group) {
  history.replaceState(null, '', `#${encodeURIComponent(group)}`)
  stream.follow(group)
}

const groupOfLocation = () => {
  try {
    return decodeURIComponent(location.hash.slice(1))
  } catch {
    return ''
  }
}

logout.addEventListener('click', async () => {
  await change('logout', {})
  location.assign('/login')
})
addEventListener('hashchange', () => stream.follow(groupOfLocation()))
stream.follow(groupOfLocation())

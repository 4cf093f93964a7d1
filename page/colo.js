import { html, put } from './element.js'
import { graph } from './graph.js'
import { fact, log, pill, progress } from './parts.js'
import { plot, plotWidth } from './plot.js'
import { bytesText, clockText, durationText } from './texts.js'

/** @typedef {import('./parts.js').Level} Level */

/** How old a look at a side may be without a word of it, in milliseconds. */
const freshFor = 10_000

/** The page of a pair. */
export class ColoPage {
  #disks = html('section', { class: 'panel', 'aria-label': 'Disks' })
  #facts = html('dl', { class: 'facts' })
  #pause = html('section', { class: 'panel', 'aria-label': 'Pauses' })
  #behind = html('section', { class: 'panel', 'aria-label': 'Lag' })
  #primary = html('section', { class: 'panel side', 'aria-label': 'Primary' })
  #secondary = html('section', { class: 'panel side', 'aria-label': 'Secondary' })
  #log = html('section', { class: 'panel', 'aria-label': 'What happened' })

  /** @param {HTMLElement} main */
  constructor(main) {
    main.classList.add('colo')
    main.replaceChildren(
      html(
        'div',
        { class: 'overview' },
        this.#disks,
        html('section', { class: 'panel', 'aria-label': 'Protection' }, html('h2', {}, 'Protection'), this.#facts),
      ),
      html('div', { class: 'plots' }, this.#pause, this.#behind),
      html('div', { class: 'sides' }, this.#primary, this.#secondary),
      this.#log,
    )
  }

  /** @param {any} view */
  show(view) {
    const { at, disks, checkpoint, counts, every, epoch, pause, behind, happened } = view
    put(
      this.#disks,
      html('h2', {}, 'Disks'),
      disks.length === 0
        ? html('p', { class: 'empty' }, 'None yet')
        : html('ul', { class: 'disks' }, ...disks.map(disk)),
    )
    put(
      this.#facts,
      fact('Epoch', String(epoch)),
      fact(
        'Last checkpoint',
        checkpoint === null
          ? 'none yet'
          : `#${checkpoint.number}, ${durationText(Math.max(0, at - checkpoint.at))} ago`,
      ),
      fact('Guest stood still', checkpoint === null ? '–' : durationText(checkpoint.pause)),
      fact('Wanted every', durationText(every)),
      fact('Checkpoints', String(counts.checkpoints)),
      fact('Secondary cut off', `${counts.cuts}×`),
      fact('Tried again', `${counts.retries}×`),
    )
    const empty = 'No checkpoint yet'
    put(
      this.#pause,
      plot({ ...{ title: 'The guest stood still', series: pause, empty }, width: plotWidth(this.#pause) }),
    )
    const target = { value: every, text: 'wanted' }
    put(
      this.#behind,
      plot({
        ...{ title: 'A take-over would go back', series: behind, target, empty },
        width: plotWidth(this.#behind),
      }),
    )
    show(this.#primary, 'Primary', view.primary, at)
    show(this.#secondary, 'Secondary', view.secondary, at)
    put(this.#log, html('h2', {}, 'What happened'), log(happened))
  }
}

/** @param {{ name: string, state: string, level: Level, why: string, since: number, copy: { current: number, total: number, secondsLeft: number | null } | null }} given */
function disk({ name, state, level, why, since, copy }) {
  const left = copy?.secondsLeft ?? null
  return html(
    'li',
    {},
    html(
      'div',
      { class: 'disk-head' },
      html('strong', { class: 'name' }, name),
      pill(level, state),
      html('span', { class: 'muted' }, `since ${clockText(since)}`),
    ),
    html('p', { class: 'why' }, why),
    copy !== null &&
      html(
        'p',
        { class: 'copy' },
        progress(copy.total === 0 ? 0 : copy.current / copy.total, `copy of ${name}`),
        `${bytesText(copy.current)} of ${bytesText(copy.total)}${left === null ? '' : `, ${durationText(left * 1000)} left`}`,
      ),
  )
}

/**
 * @param {HTMLElement} element
 * @param {string} title
 * @param {{ level: Level, text: string, seenAt: number | null, graph: import('./graph.js').Graph | null }} side
 * @param {number} now
 */
function show(element, title, { level, text, seenAt, graph: its }, now) {
  const age = seenAt === null ? undefined : now - seenAt
  const isOld = age !== undefined && (age > freshFor || level === 'bad')
  put(
    element,
    html('div', { class: 'panel-head' }, html('h2', {}, title), pill(level, text)),
    isOld &&
      html(
        'p',
        { class: 'old', role: 'note' },
        `The graph is as of ${clockText(seenAt ?? 0)} UTC: it is not known to be so now.`,
      ),
    its === null
      ? html('p', { class: 'empty' }, 'Its block graph was not seen yet')
      : graph(its, `Block graph of the ${title.toLowerCase()}`),
  )
}

import { html, put, svg } from './element.js'
import { clockText, dateText, durationText, momentText, shellWord } from './texts.js'

/**
 * Times are in microseconds since 1970.
 *
 * @typedef {{ ranges: readonly (readonly [number, number])[], points: readonly { name: string, time: number }[], more: number }} Line
 * @typedef {{ name: string, kind: string, time: number }} Branch
 * @typedef {{ time: number, name?: string | undefined }} Picked
 */

const height = 92
/** Where the track of the history is. */
const track = { top: 26, bottom: 52 }
/** How near a named point has to be to be meant, in pixels. */
const near = 7
const minute = 60_000_000

/** @type {readonly { text: string, span: number }[]} */
const zooms = [
  { text: 'All', span: Number.POSITIVE_INFINITY },
  { text: '6 h', span: 360 * minute },
  { text: '1 h', span: 60 * minute },
  { text: '10 min', span: 10 * minute },
  { text: '1 min', span: minute },
]

/** A journal as a line of time, on which a moment can be picked: by a pointer, by keys, by buttons. */
export class TimeLine {
  element = html('section', { class: 'panel journal', 'aria-labelledby': 'journal-title' })
  #slider = html('div', {
    ...{
      class: 'slider',
      tabindex: 0,
      role: 'slider',
      'aria-label': 'Moment of the journal',
      'aria-orientation': 'horizontal',
    },
    'aria-describedby': 'journal-keys',
  })
  #picked = html('p', { class: 'picked', id: 'picked' })
  #code = html('code', { id: 'command' })
  #note = html('p', { class: 'note' })
  #start = html('button', { type: 'button', class: 'primary', id: 'start-test', hidden: true }, 'Start this test')
  #result = html('p', { class: 'result', role: 'status' })
  #zoomButtons
  #width = 600
  /** @type {number} */
  #span = Number.POSITIVE_INFINITY
  #group = ''
  /** @type {Line} */
  #line = { ranges: [], points: [], more: 0 }
  /** @type {readonly Branch[]} */
  #branches = []
  #now = 0
  /** The newest moment where nothing is picked.
   * @type {Picked | undefined} */
  #pick
  /** @type {number | undefined} */
  #hover
  /** @type {(group: string, at: object | undefined) => Promise<string>} */
  #startTest

  /** @param {(group: string, at: object | undefined) => Promise<string>} startTest starts one, and says what became of it */
  constructor(startTest) {
    this.#startTest = startTest
    this.#zoomButtons = zooms.map(({ text, span }) => {
      const button = html('button', { type: 'button' }, text)
      button.addEventListener('click', () => {
        this.#span = span
        this.#draw()
      })
      return button
    })
    /** @type {readonly [string, number][]} */
    const steps = [
      ['−1 min', -minute],
      ['−1 s', -1_000_000],
      ['+1 s', 1_000_000],
      ['+1 min', minute],
    ]
    const stepButtons = steps.map(([text, by]) => {
      const button = html('button', { type: 'button' }, text)
      button.addEventListener('click', () => this.#moveBy(by))
      return button
    })
    const newest = html('button', { type: 'button' }, 'Newest')
    newest.addEventListener('click', () => this.#setPick(undefined))
    const copy = html('button', { type: 'button', id: 'copy' }, 'Copy')
    copy.addEventListener('click', () => void this.#copy())
    this.#start.addEventListener('click', () => void this.#begin())
    this.element.append(
      html(
        'div',
        { class: 'panel-head' },
        html('h3', { id: 'journal-title' }, 'Journal'),
        html('div', { class: 'buttons', role: 'group', 'aria-label': 'How much of it is shown' }, ...this.#zoomButtons),
      ),
      this.#slider,
      html(
        'div',
        { class: 'pick-line' },
        this.#picked,
        html('div', { class: 'buttons', role: 'group', 'aria-label': 'Move the moment' }, ...stepButtons, newest),
      ),
      html('div', { class: 'command' }, this.#code, copy, this.#start),
      this.#result,
      html(
        'p',
        { class: 'keys', id: 'journal-keys' },
        'Click or drag to pick a moment. Keys: ← → move it, with Shift further; Page Up and Page Down go to points that have names; Home and End.',
      ),
      this.#note,
    )
    this.#listen()
    new ResizeObserver(([entry]) => {
      this.#width = Math.max(200, Math.round(entry?.contentRect.width ?? 600))
      this.#draw()
    }).observe(this.#slider)
  }

  /**
   * @param {{ group: string, line: Line, branches: readonly Branch[], now: number, control: boolean }} given now is in microseconds
   */
  update({ group, line, branches, now, control }) {
    if (group !== this.#group) {
      this.#group = group
      this.#pick = undefined
      this.#result.textContent = ''
    }
    this.#line = line
    this.#branches = branches
    this.#now = now
    this.#start.hidden = !control
    const { oldest } = this.#bounds()
    // what was picked may have been folded away
    if (this.#pick !== undefined && oldest !== undefined && this.#pick.time < oldest) {
      this.#pick = { time: oldest }
      this.#result.textContent = 'The moment that was picked is not kept any more: this is the oldest one.'
    }
    this.#draw()
  }

  #listen() {
    const slider = this.#slider
    /** @param {PointerEvent} event */
    const timeOf = event => this.#timeAt(event.clientX - slider.getBoundingClientRect().left)
    slider.addEventListener('pointerdown', event => {
      if (event.button !== 0) return
      slider.setPointerCapture(event.pointerId)
      this.#setPick(this.#snap(timeOf(event)))
    })
    slider.addEventListener('pointermove', event => {
      if (slider.hasPointerCapture(event.pointerId)) this.#setPick(this.#snap(timeOf(event)))
      else if (event.pointerType === 'mouse') {
        this.#hover = timeOf(event)
        this.#draw()
      }
    })
    slider.addEventListener('pointerleave', () => {
      this.#hover = undefined
      this.#draw()
    })
    slider.addEventListener('keydown', event => {
      if (event.ctrlKey || event.altKey || event.metaKey) return
      const { from, to } = this.#window()
      const step = Math.max(1, ((to - from) / 100) * (event.shiftKey ? 10 : 1))
      /** @type {Record<string, () => void>} */
      const keys = {
        ArrowLeft: () => this.#moveBy(-step),
        ArrowDown: () => this.#moveBy(-step),
        ArrowRight: () => this.#moveBy(step),
        ArrowUp: () => this.#moveBy(step),
        PageUp: () => this.#toPoint(1),
        PageDown: () => this.#toPoint(-1),
        Home: () => this.#setPick(this.#snap(Number.NEGATIVE_INFINITY)),
        End: () => this.#setPick(undefined),
      }
      const action = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined
      if (action === undefined) return
      event.preventDefault()
      action()
    })
  }

  #bounds() {
    const { ranges } = this.#line
    return { oldest: ranges[0]?.[0], newest: ranges.at(-1)?.[1] }
  }

  /** What of the time is shown. */
  #window() {
    const { oldest = this.#now - minute, newest = this.#now } = this.#bounds()
    const branches = this.#branches.map(({ time }) => time)
    const all = { from: Math.min(oldest, ...branches), to: Math.max(newest, oldest + 1_000_000) }
    const whole = all.to - all.from
    const pad = whole * 0.015
    if (this.#span >= whole) return { from: all.from - pad, to: all.to + pad }
    const middle = this.#pick?.time ?? newest
    const from = Math.min(Math.max(middle - this.#span / 2, all.from - pad), all.to - this.#span * 0.95)
    return { from, to: from + this.#span }
  }

  /** @param {number} x in pixels */
  #timeAt(x) {
    const { from, to } = this.#window()
    return from + ((to - from) * x) / this.#width
  }

  /** The moment that is meant: a point with a name that is near, or the last moment up to there that can be started.
   * @param {number} time
   * @returns {Picked | undefined}
   */
  #snap(time) {
    const { ranges, points } = this.#line
    const { from, to } = this.#window()
    const reach = ((to - from) / this.#width) * near
    const [named] = points
      .filter(point => Math.abs(point.time - time) <= reach)
      .toSorted((a, b) => Math.abs(a.time - time) - Math.abs(b.time - time))
    if (named !== undefined) return { time: named.time, name: named.name }
    return this.#kept(time, ranges)
  }

  /**
   * @param {number} time
   * @param {Line['ranges']} ranges
   * @returns {Picked | undefined}
   */
  #kept(time, ranges) {
    const last = ranges.at(-1)
    if (last === undefined || time >= last[1]) return undefined
    const range = ranges.findLast(([from]) => from <= time) ?? ranges[0]
    return range && { time: Math.round(Math.min(Math.max(time, range[0]), range[1])) }
  }

  /** @param {number} by */
  #moveBy(by) {
    const { newest } = this.#bounds()
    if (newest === undefined) return
    const now = this.#pick?.time ?? newest
    const { ranges } = this.#line
    const next = this.#kept(now + by, ranges)
    // a gap is stepped over
    if (by > 0 && next !== undefined && next.time <= now) {
      const later = ranges.find(([from]) => from > now)
      this.#setPick(later && { time: later[0] })
    } else this.#setPick(next)
  }

  /** @param {1 | -1} direction */
  #toPoint(direction) {
    const { points } = this.#line
    const now = this.#pick?.time ?? Number.POSITIVE_INFINITY
    const point = direction > 0 ? points.find(({ time }) => time > now) : points.findLast(({ time }) => time < now)
    if (point !== undefined) this.#setPick({ time: point.time, name: point.name })
  }

  /** @param {Picked | undefined} pick */
  #setPick(pick) {
    this.#pick = pick
    this.#hover = undefined
    this.#result.textContent = ''
    this.#draw()
  }

  #draw() {
    const { ranges, points, more } = this.#line
    const { from, to } = this.#window()
    const width = this.#width
    /** @param {number} time */
    const x = time => Math.min(width + 9, Math.max(-9, ((time - from) / (to - from)) * width))
    const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, 'aria-hidden': 'true' })
    drawing.append(svg('rect', { class: 'track', x: 0, y: track.top, width, height: track.bottom - track.top, rx: 4 }))
    for (const [start, end] of ranges) {
      if (end < from || start > to) continue
      const left = x(start)
      drawing.append(
        svg('rect', {
          class: 'range',
          x: left,
          y: track.top,
          width: Math.max(2, x(end) - left),
          height: track.bottom - track.top,
        }),
      )
    }
    this.#drawAxis(drawing, from, to)
    for (const { time, name } of points) {
      if (time < from || time > to) continue
      const at = x(time)
      drawing.append(
        svg('path', { class: 'point', d: `M${at} ${track.top - 7}l6 7l-6 7l-6-7z` }, svg('title', {}, name)),
      )
    }
    for (const { time, kind, name } of this.#branches) {
      if (time < from || time > to) continue
      const at = x(time)
      drawing.append(
        svg(
          'path',
          {
            class: `branch ${kind}`,
            d: `M${at} ${track.top}V${track.bottom + 14}M${at} ${track.bottom + 3}h9l-3 5l3 5h-9`,
          },
          svg('title', {}, `${kind} ${name}`),
        ),
      )
    }
    const shown = this.#pick ?? { time: this.#bounds().newest ?? from, name: undefined }
    if (this.#hover !== undefined) {
      const at = x(this.#hover)
      const text = clockText(this.#hover / 1000)
      drawing.append(
        svg('line', { class: 'hover', x1: at, x2: at, y1: track.top - 4, y2: track.bottom + 4 }),
        svg(
          'text',
          { class: 'hover-text', x: Math.min(Math.max(at, 28), width - 28), y: 12, 'text-anchor': 'middle' },
          text,
        ),
      )
    }
    const at = x(shown.time)
    if (ranges.length > 0)
      drawing.append(
        svg('line', { class: 'pick', x1: at, x2: at, y1: track.top - 8, y2: track.bottom + 8 }),
        svg('circle', { class: 'pick', cx: at, cy: track.top - 10, r: 5 }),
      )
    this.#slider.replaceChildren(drawing)
    this.#say(shown, more)
  }

  /**
   * @param {SVGElement} drawing
   * @param {number} from
   * @param {number} to
   */
  #drawAxis(drawing, from, to) {
    const count = Math.max(2, Math.floor(this.#width / 130))
    const isLong = to - from > 20 * 60 * minute
    for (let tick = 0; tick <= count; tick++) {
      const share = tick / count
      const time = (from + (to - from) * share) / 1000
      const anchor = tick === 0 ? 'start' : tick === count ? 'end' : 'middle'
      const text = isLong ? dateText(time).slice(5, 16) : clockText(time)
      drawing.append(svg('text', { class: 'axis', x: share * this.#width, y: height - 6, 'text-anchor': anchor }, text))
    }
  }

  /**
   * @param {Picked} shown
   * @param {number} more
   */
  #say(shown, more) {
    const { oldest, newest } = this.#bounds()
    const isNothing = newest === undefined
    const age = durationText(Math.max(0, this.#now - shown.time) / 1000)
    const text = isNothing ? 'No moment can be started yet' : `${dateText(shown.time / 1000)} UTC`
    const what = shown.name !== undefined ? `, ${shown.name}` : this.#pick === undefined ? ', the newest moment' : ''
    put(this.#picked, html('strong', {}, text), isNothing ? null : html('span', {}, `${what}, ${age} ago`))
    this.#code.textContent = isNothing ? `rephub points ${shellWord(this.#group)}` : this.#commandText()
    this.#start.disabled = isNothing
    this.#note.textContent = more > 0 ? `${more} older ranges and points are not drawn: rephub points lists them.` : ''
    const slider = this.#slider
    slider.setAttribute('aria-valuemin', String(Math.floor((oldest ?? 0) / 1000)))
    slider.setAttribute('aria-valuemax', String(Math.floor((newest ?? 0) / 1000)))
    slider.setAttribute('aria-valuenow', String(Math.floor(shown.time / 1000)))
    slider.setAttribute('aria-valuetext', `${text}${isNothing ? '' : what}`)
    for (const [index, button] of this.#zoomButtons.entries())
      button.setAttribute('aria-pressed', String(zooms[index]?.span === this.#span))
  }

  #commandText() {
    const at = this.#pick === undefined ? '' : ` --at ${shellWord(this.#pick.name ?? momentText(this.#pick.time))}`
    return `rephub test ${shellWord(this.#group)}${at}`
  }

  async #copy() {
    const text = this.#code.textContent ?? ''
    try {
      await navigator.clipboard.writeText(text)
      this.#result.textContent = 'Copied.'
    } catch {
      // only pages of this machine, or by HTTPS, may write there
      getSelection()?.selectAllChildren(this.#code)
      this.#result.textContent = 'Selected: copy it by hand.'
    }
  }

  async #begin() {
    const pick = this.#pick
    this.#start.disabled = true
    this.#result.textContent = 'Starting…'
    const at = pick === undefined ? undefined : pick.name === undefined ? { time: pick.time } : { name: pick.name }
    this.#result.textContent = await this.#startTest(this.#group, at)
    this.#start.disabled = false
  }
}

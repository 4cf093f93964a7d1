import { html, svg } from './element.js'
import { clockText, durationText } from './texts.js'

/**
 * @typedef {{ step: number, to: number, values: readonly (number | null)[] }} Series
 */

const height = 150

/**
 * A series of durations over time, with a line where it is to be. What was not seen is no line.
 *
 * @param {{ title: string, series: Series, width: number, span?: number, target?: { value: number, text: string }, empty: string }} plot
 *   `width` in pixels, `span` in steps
 */
export function plot({ title, series, width, span = 450, target, empty }) {
  /** Where the plot itself is: besides it stand the axes' words. */
  const area = { left: 54, right: width - 2, top: 10, bottom: height - 22 }
  const { step, to, values } = series
  const known = values.filter(value => value !== null)
  const newest = values.findLast(value => value !== null) ?? null
  const figure = html('figure', { class: 'plot' })
  const caption = html('figcaption', {}, html('span', {}, title))
  if (newest !== null) caption.append(html('strong', {}, durationText(newest)))
  figure.append(caption)
  if (known.length === 0) {
    figure.append(html('p', { class: 'empty' }, empty))
    return figure
  }
  const top = niceTop(Math.max(...known, target === undefined ? 0 : target.value * 1.25))
  /** @param {number} index from the newest step's end */
  const x = index => area.right - ((area.right - area.left) * index) / span
  /** @param {number} value */
  const y = value => area.bottom - ((area.bottom - area.top) * value) / top
  const words = `${title}: now ${newest === null ? 'unknown' : durationText(newest)}, at most ${durationText(Math.max(...known))}${
    target === undefined ? '' : `, ${target.text} ${durationText(target.value)}`
  }`
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': words })
  for (const share of [0, 0.5, 1]) {
    const at = y(top * share)
    drawing.append(
      svg('line', { class: 'grid', x1: area.left, x2: area.right, y1: at, y2: at }),
      svg(
        'text',
        { class: 'axis', x: area.left - 6, y: at + 4, 'text-anchor': 'end' },
        share === 0 ? '0' : durationText(top * share),
      ),
    )
  }
  for (const share of width < 420 ? [0, 1 / 2, 1] : [0, 1 / 3, 2 / 3, 1]) {
    const at = x(span * (1 - share))
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle'
    drawing.append(
      svg(
        'text',
        { class: 'axis', x: at, y: height - 5, 'text-anchor': anchor },
        clockText(to - span * (1 - share) * step),
      ),
    )
  }
  drawing.append(svg('path', { class: 'line', d: path(values, x, y) }))
  if (target !== undefined) {
    const at = y(target.value)
    drawing.append(
      svg('line', { class: 'target', x1: area.left, x2: area.right, y1: at, y2: at }),
      svg(
        'text',
        { class: 'target-text', x: area.left + 6, y: at - 4 },
        `${target.text} ${durationText(target.value)}`,
      ),
    )
  }
  figure.append(drawing)
  return figure
}

/**
 * A series in a few pixels: a look at its shape.
 *
 * @param {Series} series
 * @param {number} target
 */
export function sparkline({ values }, target) {
  const known = values.filter(value => value !== null)
  const drawing = svg('svg', { class: 'spark', viewBox: '0 0 90 24', 'aria-hidden': 'true' })
  if (known.length === 0) return drawing
  const top = Math.max(...known, target * 1.1)
  const d = path(
    values,
    index => 89 - (index * 88) / 60,
    value => 22 - (20 * value) / top,
  )
  const at = 22 - (20 * target) / top
  drawing.append(svg('line', { class: 'target', x1: 0, x2: 90, y1: at, y2: at }), svg('path', { class: 'line', d }))
  return drawing
}

/**
 * @param {readonly (number | null)[]} values the newest last
 * @param {(index: number) => number} x of a step, counted from the newest
 * @param {(value: number) => number} y
 */
function path(values, x, y) {
  let d = ''
  let before = -2
  for (const [index, value] of values.entries()) {
    if (value === null) continue
    const place = `${x(values.length - 1 - index).toFixed(1)} ${y(value).toFixed(1)}`
    // seldom values are joined as well, over a minute at most
    d += before >= 0 && index - before <= 30 ? `L${place}` : `M${place}h.1`
    before = index
  }
  return d
}

/**
 * The next number that people like to read.
 *
 * @param {number} value
 */
function niceTop(value) {
  if (value <= 0) return 1
  const scale = 10 ** Math.floor(Math.log10(value))
  return scale * ([1, 2, 4, 6, 8, 10].find(factor => factor * scale >= value) ?? 10)
}

/**
 * How wide a plot in an element may be, in pixels.
 *
 * @param {Element} element
 */
export function plotWidth(element) {
  const { paddingLeft, paddingRight } = getComputedStyle(element)
  return Math.max(240, element.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight))
}

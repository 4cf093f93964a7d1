import { html } from './element.js'
import { clockText } from './texts.js'

/** @typedef {'good' | 'busy' | 'warn' | 'bad'} Level */

/** A shape of its own for each level: not everybody sees colors. */
const marks = { good: '●', busy: '◐', warn: '▲', bad: '■' }

/** @param {Level} level */
export const mark = level => html('span', { class: `mark ${level}`, 'aria-hidden': 'true' }, marks[level])

/**
 * A state, with how much it matters.
 *
 * @param {Level} level
 * @param {string} text
 */
export const pill = (level, text) => html('span', { class: `pill ${level}` }, mark(level), text)

/**
 * What happened, the newest first.
 *
 * @param {readonly { at: number, level: Level, text: string }[]} happened
 */
export function log(happened) {
  const rows = happened.map(({ at, level, text }) =>
    html('li', {}, html('time', {}, clockText(at)), mark(level), html('span', {}, text)),
  )
  return rows.length === 0
    ? html('p', { class: 'empty' }, 'Nothing since the page is served')
    : html('ol', { class: 'log' }, ...rows)
}

/**
 * A fact: its name, and what it is.
 *
 * @param {string} name
 * @param {string | Node} value
 */
export const fact = (name, value) => html('div', { class: 'fact' }, html('dt', {}, name), html('dd', {}, value))

/**
 * How far something is.
 *
 * @param {number} share from 0 to 1
 * @param {string} label
 */
export const progress = (share, label) => html('progress', { max: 1, value: share.toFixed(3), 'aria-label': label })

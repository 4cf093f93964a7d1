import { change } from './changes.js'
import { html, put } from './element.js'
import { fact, log, mark, pill, progress } from './parts.js'
import { plot, plotWidth, sparkline } from './plot.js'
import { bytesText, clockText, dateText, durationText, shellWord } from './texts.js'
import { TimeLine } from './time-line.js'

/**
 * @typedef {import('./parts.js').Level} Level
 * @typedef {{ name: string, state: string, level: Level, why: string, behind: number | null, recent: import('./plot.js').Series | null, branches: number }} Group
 * @typedef {{ name: string, kind: string, state: string, time: number, made: number, by: string, written: number, lost: string | null }} Branch
 */

/** With how many groups a filter helps. */
const filterFrom = 8
/** How long a button asks whether it was meant, in milliseconds. */
const armedFor = 4000

/** The page of a hub. */
export class HubPage {
  #list = html('ul', { class: 'groups' })
  #listNote = html('p', { class: 'note' })
  #filter = html('input', { type: 'search', placeholder: 'Filter groups', 'aria-label': 'Filter groups', hidden: true })
  #counts = html('p', { class: 'muted' })
  #head = html('div', { class: 'panel detail-head' })
  #plots = html('section', { class: 'panel', 'aria-label': 'Recovery point' })
  #branches = html('section', { class: 'panel', 'aria-label': 'Branches' })
  #volumes = html('section', { class: 'panel', 'aria-label': 'Disks' })
  #log = html('section', { class: 'panel', 'aria-label': 'What happened' })
  #detail = html('div', { class: 'detail' })
  #none = html('p', { class: 'panel empty' })
  #timeLine
  /** @type {Map<string, HTMLButtonElement>} */
  #buttons = new Map()
  /** @type {(group: string) => void} */
  #select
  #control = false
  /** @type {any} */
  #view
  /** The branch whose button asks whether it was meant. */
  #armed = ''
  #said = ''

  /**
   * @param {HTMLElement} main
   * @param {(group: string) => void} select
   */
  constructor(main, select) {
    this.#select = select
    this.#timeLine = new TimeLine((group, at) => startTest(group, at))
    this.#filter.addEventListener('input', () => this.#showList())
    main.classList.add('hub')
    this.#detail.append(
      this.#head,
      this.#timeLine.element,
      html('div', { class: 'two' }, this.#plots, this.#volumes),
      this.#branches,
    )
    main.replaceChildren(
      html(
        'nav',
        { class: 'panel list', 'aria-label': 'Groups' },
        html('div', { class: 'panel-head' }, html('h2', {}, 'Groups'), this.#counts),
        this.#filter,
        this.#list,
        this.#listNote,
      ),
      html('div', { class: 'right' }, this.#none, this.#detail, this.#log),
    )
  }

  /** @param {boolean} control whether tests may be started and discarded */
  allow(control) {
    this.#control = control
  }

  /** @param {any} view */
  show(view) {
    this.#view = view
    const { counts, happened, selected, agents } = view
    put(
      this.#counts,
      Object.entries(counts)
        .map(([state, count]) => `${count} ${state}`)
        .join(', '),
    )
    this.#showList()
    put(this.#log, html('h2', {}, 'What happened'), log(happened))
    this.#detail.hidden = selected === null
    this.#none.hidden = selected !== null
    this.#none.textContent =
      view.groups.length === 0 ? 'No agent has sent a group yet.' : 'This group cannot be opened: see the list.'
    if (selected !== null) this.#showDetail(selected, agents)
  }

  #showList() {
    const { groups, more, selected, target } = this.#view
    const wanted = this.#filter.value.trim().toLowerCase()
    this.#filter.hidden = groups.length < filterFrom
    /** @type {readonly Group[]} */
    const shown = groups.filter((/** @type {Group} */ { name }) => name.toLowerCase().includes(wanted))
    const names = new Set(shown.map(({ name }) => name))
    for (const [name, button] of this.#buttons) {
      if (names.has(name)) continue
      button.parentElement?.remove()
      this.#buttons.delete(name)
    }
    for (const [index, group] of shown.entries()) {
      const button = this.#buttonOf(group.name)
      const item = button.parentElement
      if (item !== null && this.#list.children[index] !== item)
        this.#list.insertBefore(item, this.#list.children[index] ?? null)
      button.setAttribute('aria-current', String(group.name === selected?.name))
      put(button, ...row(group, target))
    }
    const left = more > 0 ? `${more} more groups are not listed: those that matter least. ` : ''
    this.#listNote.textContent =
      shown.length === 0 && groups.length > 0 ? `No group has that in its name. ${left}` : left
  }

  /** @param {string} name */
  #buttonOf(name) {
    const known = this.#buttons.get(name)
    if (known !== undefined) return known
    const button = html('button', { type: 'button', class: 'group' })
    button.addEventListener('click', () => this.#select(name))
    this.#buttons.set(name, button)
    this.#list.append(html('li', {}, button))
    return button
  }

  /**
   * @param {any} group
   * @param {readonly string[]} agents
   */
  #showDetail(group, agents) {
    const { at, target } = this.#view
    const { name, level, state, why, agent, heard, since, newest, lag, busy, epoch, takeOver, used, limits } = group
    const sender = agent === null ? 'nobody yet' : `${agent}${agents.includes(agent) ? '' : ' (not connected)'}`
    put(
      this.#head,
      html(
        'div',
        { class: 'panel-head' },
        html('h2', { class: 'name' }, name),
        pill(level, state),
        since !== null && html('span', { class: 'muted' }, `since ${dateText(since / 1000)} UTC`),
      ),
      why !== '' && html('p', { class: 'why' }, why),
      busy !== null &&
        html(
          'p',
          { class: 'copy' },
          progress(busy.all === 0 ? 0 : busy.done / busy.all, busy.what),
          busy.waits === null
            ? `${busy.what}: ${bytesText(busy.done)} of ${bytesText(busy.all)}`
            : `${busy.what}: ${bytesText(busy.waits)} left, when the recovery guest is shut down`,
        ),
      html(
        'dl',
        { class: 'facts' },
        fact('Newest moment', newest === null ? 'none' : `${clockText(newest / 1000)} UTC`),
        fact('Sent by', sender),
        fact('Heard', heard === null ? 'not yet' : `${durationText(Math.max(0, at - heard / 1000))} ago`),
        fact('Being written', bytesText(lag)),
        fact('Journal', `${bytesText(used.journalBytes)} of ${bytesText(limits.journalBytes)}`),
        fact('History, at most', durationText(limits.history / 1000)),
        fact(
          'Images',
          `${bytesText(used.imageBytes)}${limits.imageBytes === null ? '' : ` of ${bytesText(limits.imageBytes)}`}`,
        ),
        fact('Branches wrote', `${bytesText(used.overlayBytes)} of ${bytesText(limits.overlayBytes)}`),
        fact('Epoch', `${epoch}${takeOver === null ? '' : `, ${takeOver}`}`),
      ),
    )
    this.#timeLine.update({
      ...{ group: name, line: group.line, branches: group.branchList },
      now: at * 1000,
      control: this.#control,
    })
    put(
      this.#plots,
      group.series === null
        ? html('p', { class: 'empty' }, 'Nothing is kept of it yet, or of so many groups')
        : plot({
            title: 'A recovery now would go back',
            series: group.series,
            width: plotWidth(this.#plots),
            target: { value: target, text: 'target' },
            empty: 'Nothing is known of it',
          }),
    )
    this.#showBranches(name, group.branchList, limits.branches)
    put(
      this.#volumes,
      html('h3', {}, 'Disks'),
      group.volumes.length === 0
        ? html('p', { class: 'empty' }, 'None yet')
        : html(
            'ul',
            { class: 'volumes' },
            ...group.volumes.map((/** @type {{ name: string, size: number, state: string }} */ volume) =>
              html(
                'li',
                {},
                html('span', { class: 'name' }, volume.name),
                html('span', { class: 'muted' }, bytesText(volume.size)),
                volume.state === '' ? null : html('span', {}, volume.state),
              ),
            ),
          ),
    )
  }

  /**
   * @param {string} group
   * @param {readonly Branch[]} branches
   * @param {number} most
   */
  #showBranches(group, branches, most) {
    const head = ['Branch', 'Kind', 'Moment (UTC)', 'Written', 'By', '']
    const rows = branches.map(branch => {
      const { name, kind, time, written, by, lost, state } = branch
      const more = lost !== null ? `lost: ${lost}` : state === 'ready' ? '' : state
      return html(
        'tr',
        {},
        html(
          'td',
          { class: 'name', 'data-head': 'Branch' },
          name,
          more === '' ? null : html('span', { class: 'muted' }, ` (${more})`),
        ),
        html('td', { 'data-head': 'Kind' }, kind),
        html('td', { 'data-head': 'Moment (UTC)' }, dateText(time / 1000)),
        html('td', { 'data-head': 'Written' }, bytesText(written)),
        html('td', { 'data-head': 'By' }, by),
        html('td', { class: 'act' }, this.#discardOf(group, branch)),
      )
    })
    put(
      this.#branches,
      html(
        'div',
        { class: 'panel-head' },
        html('h3', {}, 'Branches'),
        html('span', { class: 'muted' }, `${branches.length} of at most ${most}`),
      ),
      rows.length === 0
        ? html('p', { class: 'empty' }, 'None: a test is a branch, and so is a fail-over.')
        : html(
            'table',
            {},
            html('thead', {}, html('tr', {}, ...head.map(text => html('th', { scope: 'col' }, text)))),
            html('tbody', {}, ...rows),
          ),
      this.#said === '' ? null : html('p', { class: 'result', role: 'status' }, this.#said),
    )
  }

  /**
   * @param {string} group
   * @param {Branch} branch
   */
  #discardOf(group, { name, kind, state }) {
    if (kind !== 'test') return null
    if (!this.#control) return html('code', {}, `rephub discard ${shellWord(group)} ${shellWord(name)}`)
    const id = `${group}/${name}`
    const isArmed = this.#armed === id
    const button = html(
      'button',
      {
        type: 'button',
        class: isArmed ? 'danger' : null,
        disabled: state === 'dropping',
        'aria-label': `${isArmed ? 'Yes, discard' : 'Discard'} ${name}`,
      },
      isArmed ? 'Yes, discard' : 'Discard',
    )
    button.addEventListener('click', () => void this.#discard(group, name, isArmed))
    return button
  }

  /**
   * @param {string} group
   * @param {string} branch
   * @param {boolean} isMeant
   */
  async #discard(group, branch, isMeant) {
    const id = `${group}/${branch}`
    this.#armed = isMeant ? '' : id
    if (isMeant) {
      this.#said = `Discarding ${branch}…`
      this.show(this.#view)
      const done = await change('discard', { group, branch })
      this.#said = done.ok ? `${branch} is discarded.` : `${branch} is not discarded: ${done.why}`
    } else
      setTimeout(() => {
        if (this.#armed !== id) return
        this.#armed = ''
        this.show(this.#view)
      }, armedFor)
    this.show(this.#view)
  }
}

/**
 * @param {Group} group
 * @param {number} target
 */
function row({ name, state, level, why, behind, recent, branches }, target) {
  const more = branches === 0 ? '' : `, ${branches} ${branches === 1 ? 'branch' : 'branches'}`
  return [
    mark(level),
    html(
      'span',
      { class: 'group-words' },
      html('strong', { class: 'name' }, name),
      html('span', { class: `state ${level}` }, `${state}${more}`),
      why === '' ? null : html('span', { class: 'why' }, why),
    ),
    html(
      'span',
      { class: 'group-behind' },
      recent === null ? null : sparkline(recent, target),
      html(
        'span',
        { class: behind !== null && behind > target ? 'over' : 'muted' },
        behind === null ? '–' : durationText(behind),
      ),
    ),
  ]
}

/**
 * @param {string} group
 * @param {object | undefined} at
 */
async function startTest(group, at) {
  const done = await change('test', { group, at })
  if (!done.ok) return `Not started: ${done.why}`
  const { branch } = done.answer
  return `Started as ${branch}. For its disks: rephub arguments ${shellWord(group)} ${shellWord(branch)}`
}

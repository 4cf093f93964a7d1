import type { Io } from '../../command-line/io.js'
import { jsonLine } from '../../command-line/json-line.js'
import { printable } from '../../printable.js'
import { eventText } from './event-text.js'
import { LiveLines } from './live-lines.js'
import type { Reporter } from './reporter.js'
import { eventJson } from './to-json.js'

/** JSON lines, lines that are redrawn on a terminal, or plain ones: one an event. */
export function reporterFor(json: boolean, io: Io): Reporter {
  if (json) return jsonReporter(io)
  return io.isTerminal(1) && io.env.TERM !== 'dumb' ? new LiveLines(io) : plainReporter(io)
}

const jsonReporter = (io: Io): Reporter => ({
  event: event => io.write(1, jsonLine(eventJson(event))),
  say: (_, json) => io.write(1, jsonLine(json)),
  warn: message => io.write(1, jsonLine({ event: 'warning', message })),
})

const plainReporter = (io: Io): Reporter => ({
  event(event) {
    // the progress that comes with it says the same
    if (event.type === 'state' && event.state.kind === 'syncing') return
    io.write(1, `${eventText(event)}\n`)
  },
  say: text => io.write(1, `${text}\n`),
  warn: message => io.write(2, `xl-colo: warning: ${printable(message)}\n`),
})

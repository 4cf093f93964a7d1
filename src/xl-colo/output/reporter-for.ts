import type { Io } from '../../command-line/io.js'
import { jsonLine } from '../../command-line/json-line.js'
import { printable } from '../../printable.js'
import { type LogLevel, withPriority } from '../../service/log-level.js'
import { eventLevel } from './event-level.js'
import { eventText } from './event-text.js'
import { LiveLines } from './live-lines.js'
import type { Reporter } from './reporter.js'
import { eventJson } from './to-json.js'

/** JSON lines, lines that are redrawn on a terminal, or plain ones: one an event. */
export function reporterFor(json: boolean, io: Io): Reporter {
  if (json) return jsonReporter(io)
  if (io.isJournal(1)) return journalReporter(io)
  return io.isTerminal(1) && io.env.TERM !== 'dumb' ? new LiveLines(io) : plainReporter(io)
}

function jsonReporter(io: Io): Reporter {
  const write = (level: LogLevel, json: object) =>
    io.write(1, jsonLine({ time: new Date().toISOString(), level, ...json }))
  return {
    event: event => write(eventLevel(event), eventJson(event)),
    say: (_, json) => write('info', json),
    warn: message => write('warning', { event: 'warning', message }),
  }
}

const plainReporter = (io: Io): Reporter => ({
  event(event) {
    // the progress that comes with it says the same
    if (event.type === 'state' && event.state.kind === 'syncing') return
    io.write(1, `${eventText(event)}\n`)
  },
  say: text => io.write(1, `${text}\n`),
  warn: message => io.write(2, `xl-colo: warning: ${printable(message)}\n`),
})

/** What comes many times a second is nothing for a log. */
function journalReporter(io: Io): Reporter {
  const write = (level: LogLevel, text: string) => io.write(1, `${withPriority(level, text)}\n`)
  const kinds = new Map<string, string>()
  return {
    event(event) {
      if (event.type === 'checkpoint' || event.type === 'progress') return
      if (event.type === 'state') {
        if (event.state.kind === 'syncing' && kinds.get(event.disk) === 'syncing') return
        kinds.set(event.disk, event.state.kind)
      }
      write(eventLevel(event), eventText(event))
    },
    say: text => write('info', text),
    warn: message => write('warning', `warning: ${printable(message)}`),
  }
}

import type { PairEvent } from '../../colo/pair/pair-event.js'
import type { Io } from '../../command-line/io.js'
import { fitting, redrawn } from '../../command-line/redrawn.js'
import { printable } from '../../printable.js'
import { diskText } from './disk-text.js'
import { checkpointText, eventText } from './event-text.js'
import type { Reporter } from './reporter.js'

/** A few lines at the end of a terminal, drawn again whenever something happens: one a disk, and the last checkpoint. */
export class LiveLines implements Reporter {
  readonly #io: Io
  readonly #disks = new Map<string, string>()
  #checkpoint: string | undefined
  #drawn = 0

  constructor(io: Io) {
    this.#io = io
  }

  event(event: PairEvent): void {
    switch (event.type) {
      case 'state':
        this.#disks.set(event.disk, diskText(event.disk, event.state))
        this.#draw()
        break
      case 'checkpoint':
        this.#checkpoint = checkpointText(event.checkpoint.number, event.pause)
        this.#draw()
        break
      // the state that comes with it says the same
      case 'progress':
        break
      default:
        this.#above(eventText(event))
    }
  }

  say(text: string): void {
    this.#above(text)
  }

  warn(message: string): void {
    this.#above(`xl-colo: warning: ${printable(message)}`)
  }

  /** What is said once stands above the lines that change. */
  #above(text: string): void {
    this.#io.write(1, `${redrawn([], this.#drawn, this.#io.size())}${text}\n`)
    this.#drawn = 0
    this.#draw()
  }

  #draw(): void {
    const size = this.#io.size()
    const all = [...(this.#checkpoint === undefined ? [] : [this.#checkpoint]), ...this.#disks.values()]
    const lines = fitting(all, size)
    this.#io.write(1, redrawn(lines, this.#drawn, size))
    this.#drawn = lines.length
  }
}

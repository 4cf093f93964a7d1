import type { PairEvent } from '../../colo/pair/pair-event.js'

/** Says what happens while it does. */
export interface Reporter {
  event(event: PairEvent): void
  /** A line of the command's own; `json` is what it is for a program. */
  say(text: string, json: object): void
  /** What the user has to know: on standard error, but where a program reads. */
  warn(message: string): void
}

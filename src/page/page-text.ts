import { printable } from '../printable.js'

/** The longest text that a page shows of somebody else's. */
const longest = 300

/** A text of somebody else's, as a page may have it: no longer than so many characters, and nothing in it that is not seen. */
export function pageText(text: string, most = longest): string {
  const shown = printable(text.slice(0, most))
  return text.length > most ? `${shown}…` : shown
}

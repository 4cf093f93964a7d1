import { jsonLine } from '../command-line/json-line.js'
import type { Look } from '../command-line/watching.js'
import { printable } from '../printable.js'
import { XenlightError } from '../xenlight-error.js'

/** What who watches is told where there is no answer; undefined for what no waiting ends. */
export function unseen(error: unknown, json: boolean, status: number): Look | undefined {
  if (!(error instanceof XenlightError)) return undefined
  const { message } = error
  return { status, lines: [json ? jsonLine({ exit: status, error: message }).trimEnd() : printable(message)] }
}

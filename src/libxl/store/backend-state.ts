import { printable } from '../../printable.js'
import { atoi } from '../c-integer.js'

/** The states of one end of a device (xenbus_state of io/xenbus.h). */
export const xenbusState = {
  initialising: 1,
  initWait: 2,
  initialised: 3,
  connected: 4,
  closing: 5,
  closed: 6,
} as const

const names = ['Unknown', 'Initialising', 'InitWait', 'Initialised', 'Connected', 'Closing', 'Closed']

/** A node's number as libxl reads it; undefined where there is no node. */
export const stateOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : atoi(text.slice(0, 16))

export const isClosing = (state: number): boolean => state === xenbusState.closing || state === xenbusState.closed

/** "state 4 (Connected)" */
export function showState(state: number | undefined): string {
  if (state === undefined) return 'no state'
  const name = names[state]
  return name === undefined ? `state ${state}` : `state ${state} (${name})`
}

/** What another domain wrote, for an error's text: what a terminal may have, and not all of a long one. */
export function quoted(text: string): string {
  const short = text.length > 300 ? `${text.slice(0, 300)}…` : text
  return `"${printable(short)}"`
}

import { printable } from '../../printable.js'
import { isName, nameRule } from '../name.js'
import { ReplicationError } from '../replication-error.js'

/** A text of a peer, as a message may have it. */
export const shown = (text: unknown): string => {
  const cut = typeof text === 'string' ? text : String(JSON.stringify(text))
  return `"${printable(cut.length > 80 ? `${cut.slice(0, 80)}…` : cut)}"`
}

/** @throws ReplicationError bad-name */
export function checkName(what: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && isName(name)) return
  throw new ReplicationError('bad-name', `${shown(name)} cannot be the name of a ${what}: it has to be ${nameRule}`)
}

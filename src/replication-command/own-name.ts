import { hostname } from 'node:os'
import { isName } from '../replication/name.js'

/** The machine's name, as far as it can be one. @param otherwise what stands for a name of which nothing is left */
export function ownName(otherwise: string, host = hostname()): string {
  const name = host
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64)
  return isName(name) ? name : otherwise
}

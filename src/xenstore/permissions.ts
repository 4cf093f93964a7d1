import { checkArray, checkText, shown } from '../check-argument.js'
import { XenstoreError } from './xenstore-error.js'

/** What a domain may do with a node. */
export type Access = 'none' | 'read' | 'write' | 'both'

/**
 * One entry of a node's permissions. The first entry of a node is special: its `domid` owns the node and may do all, its
 * `access` is for every domain that has no entry of its own.
 */
export interface Permission {
  domid: number
  access: Access
}

const letters = { none: 'n', read: 'r', write: 'w', both: 'b' } as const satisfies Record<Access, string>
const accesses: ReadonlyMap<string, Access> = new Map(
  Object.entries(letters).map(([access, letter]) => [letter, access as Access]),
)

/** "n0,r11": as xenstore-ls prints permissions, the owner first. */
export function formatPermissions(permissions: readonly Permission[]): string {
  checkArray('permissions', permissions, 'permissions')
  return permissions.map(formatPermission).join(',')
}

/**
 * Reads "n0,r11".
 *
 * @throws XenstoreError EINVAL for any other text
 */
export function parsePermissions(text: string): Permission[] {
  checkText('text', text)
  return text.split(',').map(parsePermission)
}

/** One entry as the protocol has it. */
export function formatPermission(permission: Permission): string {
  const { domid, access } = permission ?? {}
  const letter = Object.hasOwn(letters, access) ? letters[access] : undefined
  if (letter === undefined || !isDomid(domid)) {
    throw new XenstoreError(
      'EINVAL',
      `no permission: access ${typeof access === 'string' ? access : shown(access)} for domain ${shown(domid)}`,
    )
  }
  return letter + domid
}

export function parsePermission(text: string): Permission {
  const access = accesses.get(text.charAt(0))
  const domid = /^[0-9]{1,5}$/.test(text.slice(1)) ? Number(text.slice(1)) : -1
  if (access === undefined || !isDomid(domid)) {
    throw new XenstoreError('EINVAL', `no permission: ${JSON.stringify(text.slice(0, 40))} (one is written like r11)`)
  }
  return { domid, access }
}

const isDomid = (domid: unknown): boolean => Number.isInteger(domid) && Number(domid) >= 0 && Number(domid) <= 0xffff

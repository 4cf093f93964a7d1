import type { Buffer } from 'node:buffer'
import { Malformed } from '../malformed.js'
import { formatPermission, type Permission, parsePermission } from '../permissions.js'
import { done, quoted, texts } from '../reply.js'
import type { RequestKind } from '../request-kind.js'
import { XenstoreError } from '../xenstore-error.js'

export const getPermissions = {
  operation: 'GET_PERMS',
  path: path => path,
  fields: path => [path],
  decode,
} satisfies RequestKind<[path: string], Permission[]>

export const setPermissions = {
  operation: 'SET_PERMS',
  path: path => path,
  fields: (path, permissions) => {
    if (!Array.isArray(permissions)) {
      const how = typeof permissions === 'string' ? '; parsePermissions makes one of a text' : ''
      throw new XenstoreError('EINVAL', `permissions are a list of { domid, access }${how}`)
    }
    if (permissions.length === 0) throw new XenstoreError('EINVAL', 'a node has at least one permission, its owner')
    return [path, ...permissions.map(formatPermission)]
  },
  decode: done,
} satisfies RequestKind<[path: string, permissions: readonly Permission[]], void>

function decode(payload: Buffer): Permission[] {
  try {
    const permissions = texts(payload).map(parsePermission)
    if (permissions.length > 0) return permissions
  } catch (error) {
    if (!(error instanceof XenstoreError)) throw error
  }
  throw new Malformed(`no permissions: ${quoted(payload)}`)
}

import { Buffer } from 'node:buffer'
import type { Operation } from '../operation.js'
import { payloadMax } from '../packet.js'
import { formatPermission } from '../permissions.js'
import { accessible, canRead, canWrite, existing, isOwner } from './access.js'
import { createNode, removeNode, setNode } from './change-nodes.js'
import { isPrivileged } from './domains.js'
import { parseNumber, stringAndRest, stringsOf } from './payload.js'
import { Refusal } from './refusal.js'
import { type Handler, onlyPath, pathOf, type Request } from './request.js'
import { type NodePermission, ownerOf, parentOf, type StoreNode } from './tree.js'

const readable = (request: Request, path: string): StoreNode => existing(request.nodes, request.domain, path, canRead)

function write(request: Request): undefined {
  const { nodes, domain, store } = request
  const [name, value] = stringAndRest(request.payload)
  const path = pathOf(request, name)
  const node = accessible(nodes, domain, path, canWrite)
  if (node === undefined) create(request, path, value)
  else setNode(nodes, store.domains, domain, path, { ...node, value })
  nodes.changed(path, 'subtree', nodes.get(path)!)
}

function mkdir(request: Request): undefined {
  const { nodes, domain } = request
  const path = onlyPath(request)
  if (accessible(nodes, domain, path, canWrite) !== undefined) return
  create(request, path, Buffer.alloc(0))
  nodes.changed(path, 'subtree', nodes.get(path)!)
}

function create({ nodes, domain, store, transaction }: Request, path: string, value: Buffer): void {
  const { domains, tree } = store
  const owned = tree.ownedBy(domain.domid) + (transaction?.ownedMore(domain.domid) ?? 0)
  createNode(nodes, { domains, domain, room: domains.limit(domain, 'nodes') - owned }, path, value)
}

function rm(request: Request): undefined {
  const { nodes, domain } = request
  const path = onlyPath(request)
  if (accessible(nodes, domain, path, canWrite) === undefined) {
    if (nodes.get(parentOf(path)) === undefined) throw new Refusal('ENOENT')
    return
  }
  if (path === '/') throw new Refusal('EINVAL')
  removeNode(nodes, path)
}

function directoryPart(request: Request): Buffer {
  const strings = stringsOf(request.payload)
  if (strings.length !== 2) throw new Refusal('EINVAL')
  const { children, generation } = readable(request, pathOf(request, strings[0]!))
  const start = `${generation}\0`
  const offset = parseNumber(strings[1])
  if (offset < 0 || offset >= children.length) return Buffer.from(`${start}\0`, 'latin1')
  const room = payloadMax - start.length - 1
  const part = children.slice(offset, offset + room)
  if (offset + part.length === children.length) return Buffer.from(`${start}${part}\0`, 'latin1')
  return Buffer.from(start + part.slice(0, part.lastIndexOf('\0') + 1), 'latin1')
}

function setPermissions(request: Request): undefined {
  const { nodes, domain, store } = request
  const [name, ...entries] = stringsOf(request.payload)
  if (name === undefined || entries.length === 0) throw new Refusal('EINVAL')
  if (entries.length > store.domains.limit(domain, 'node-permissions')) throw new Refusal('ENOSPC')
  const permissions = entries.map(entry => parseEntry(request, entry))
  if (permissions[0]!.ignored === true) throw new Refusal('ENOENT')
  const path = pathOf(request, name, true)
  const node = existing(nodes, domain, path, canWrite | isOwner)
  if (!isPrivileged(domain) && permissions[0]!.domid !== ownerOf(node)) throw new Refusal('EPERM')
  setNode(nodes, store.domains, domain, path, { ...node, permissions })
  nodes.changed(path, 'subtree', nodes.get(path)!, node.permissions)
}

const accesses = { n: 'none', r: 'read', w: 'write', b: 'both' } as const

function parseEntry({ store }: Request, entry: string): NodePermission {
  const [, letter, digits] = /^([nrwb])([0-9]{1,5})$/.exec(entry) ?? []
  const domid = Number(digits)
  if (letter === undefined || domid > 0xffff) throw new Refusal('EINVAL')
  const access = accesses[letter as keyof typeof accesses]
  return store.domains.get(domid) === undefined ? { domid, access, ignored: true } : { domid, access }
}

const getPermissions = (request: Request): string =>
  readable(request, onlyPath(request, true)).permissions.map(formatPermission).join('\0')

export const nodeHandlers = {
  DIRECTORY: { answer: request => Buffer.from(readable(request, onlyPath(request)).children, 'latin1') },
  DIRECTORY_PART: { answer: directoryPart },
  READ: { answer: request => readable(request, onlyPath(request)).value },
  WRITE: { answer: write },
  MKDIR: { answer: mkdir },
  RM: { answer: rm },
  GET_PERMS: { answer: getPermissions },
  SET_PERMS: { answer: setPermissions },
} as const satisfies Partial<Record<Operation, Handler>>

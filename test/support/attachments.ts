import type { DiskTarget, DomainType, ResolveContext } from 'xenlight'
import { goldenRows } from './golden.js'

/** One disk that the real libxl attached, or refused. */
export interface Attachment {
  spec: string
  type: DomainType
  domid: number
  target: DiskTarget
  rc: number
  log: string[]
  after: object
  nodes: Record<string, { value: string; perms: string }>
  readback: object
}

export const attachments = goldenRows<Attachment>('xs.jsonl.gz')

const domains: ReadonlyMap<string, number> = new Map([
  ['storage', 7],
  ['Domain-0', 0],
  ['dom0', 0],
])

export const contextOf = ({ domid, type, target }: Attachment): ResolveContext => ({
  domid,
  domainType: type,
  target,
  domidOf: name => domains.get(name),
})

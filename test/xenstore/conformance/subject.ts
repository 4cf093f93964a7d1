import type { Duplex } from '#xenlight/xenstore/duplex.js'
import type { Xenstore } from '#xenlight/xenstore/index.js'

/** The stores that the suite runs against. The C daemon is what the others are compared with. */
export type SubjectKind = 'xenstored' | 'oxenstored' | 'embedded'

/** One store to run against, empty but for what the cases before left. */
export interface Subject {
  readonly kind: SubjectKind
  /** A connection of its own, of domain 0 or of a guest that has been introduced and has no connection yet. */
  connect(domid?: number): Promise<Xenstore>
  /** The same without a client. */
  duplex(domid?: number): Promise<Duplex>
}

/** A domid of which no store knows: neither introduced, nor one of the hypervisor's. */
export const unknownDomid = 2000

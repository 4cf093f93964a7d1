import { bytesText, int64, object } from './reply-fields.js'

/** A key, as etcd has it. */
export interface KeyValue {
  key: string
  value: string
  /** The revision in which it was last written. */
  modRevision: string
  /** With which lease it goes; '0' for none. */
  lease: string
}

/** @throws LeaseError protocol */
export function readKeyValue(given: unknown): KeyValue {
  const { key, value, mod_revision: revision, lease } = object(given, 'a key')
  return {
    key: bytesText(key, 'a key'),
    value: bytesText(value, 'a value'),
    modRevision: int64(revision, 'a revision'),
    lease: int64(lease, 'a lease'),
  }
}

/** The revision of the whole store, which every reply's header has. @throws LeaseError protocol */
export const readRevision = (header: unknown): string => {
  const { revision } = object(header, 'the header')
  return int64(revision, 'the revision')
}

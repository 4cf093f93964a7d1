import { encodeText } from '../byte-text.js'
import type { DeviceDisk } from './device-disk.js'

/** An export of an NBD server that listens on a Unix socket of this host. */
export interface NbdTarget {
  /** Absolute, at most 107 bytes. */
  socket: string
  /** The export's name; '' is the server's default one. */
  export: string
}

/** `sun_path` of unix(7) without the NUL that ends it. */
const longestSocket = 107
/** The longest string of the NBD protocol. */
const longestExport = 4096

// RFC 3986's characters of a path and of a query, less those at which QEMU's reader of URLs cuts a query
const url =
  /^nbd\+unix:\/\/(?:\/((?:[\w.~!$&'()*+,;=:@/-]|%[\da-f]{2})*))?\?socket=((?:[\w.~!$'()*,=:@/?+-]|%[\da-f]{2})+)$/i

/**
 * What a target of the form `nbd+unix:///NAME?socket=PATH` names, NAME and PATH decoded; undefined for any other text,
 * which is a file's name. There is one socket and one export, and nothing else to say: no host, no second parameter.
 */
export function parseNbdTarget(target: string | undefined): NbdTarget | undefined {
  if (target === undefined || !target.startsWith('nbd+unix:')) return undefined
  const [, name = '', path] = url.exec(target) ?? []
  const socket = decode(path)
  const exportName = decode(name)
  if (!socket?.startsWith('/') || encodeText(socket).length > longestSocket) return undefined
  // QEMU drops every slash that a name begins with, and would ask for another export
  if (exportName === undefined || exportName.startsWith('/')) return undefined
  return encodeText(exportName).length > longestExport ? undefined : { socket, export: exportName }
}

/** The NBD export that QEMU opens for a disk: one that qdisk serves, raw, and whose target no script reads. */
export const nbdTargetOf = ({ backend, format, script, pdevPath }: DeviceDisk): NbdTarget | undefined =>
  backend === 'qdisk' && format === 'raw' && script === undefined ? parseNbdTarget(pdevPath) : undefined

/** Undefined for bytes that are no text, and for a NUL, at which the name would end. */
function decode(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    const decoded = decodeURIComponent(text)
    return decoded.includes('\0') ? undefined : decoded
  } catch {
    return undefined
  }
}

const schemes = [
  ...['nbd', 'http', 'https', 'ftp', 'ftps', 'ssh', 'iscsi', 'iser', 'rbd', 'nfs', 'sheepdog', 'vxhs', 'nvme'],
  ...['gluster', 'nbds', 'rados', 'tftp'],
]
const network = new RegExp(`^(?:${schemes.join('|')})(?:\\+[a-z]+)?:`, 'i')

/** Whether a target looks as QEMU's names of what is on other machines do; to libxl, and here, it is a file's name. */
export const looksLikeNetwork = (target: string): boolean =>
  network.test(target) && parseNbdTarget(target) === undefined

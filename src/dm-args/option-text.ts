import { Buffer } from 'node:buffer'
import { LibxlError } from '../libxl/libxl-error.js'
import type { NbdTarget } from '../libxl/nbd-target.js'
import { show } from '../libxl/show-text.js'

/** How a text of a record, which may be a tenant's, becomes part of a QEMU option. */
export interface OptionText {
  /** The value of `file=`, in which QEMU looks for a protocol. */
  file(path: string): string
  /** A file's name in any other option. */
  filename(path: string): string
  /** The URL of an NBD server's export, as the value of any option. */
  nbd(target: NbdTarget): string
}

const asItIs = (text: string): string => text

const nbdUrl = (name: string, socket: string): string => `nbd+unix:///${name}?socket=${socket}`

/** libxl's way. */
export const libxlText: OptionText = { file: asItIs, filename: asItIs, nbd: ({ socket }) => nbdUrl('', socket) }

/** So that a file's name names that file and nothing else. */
export const safeText: OptionText = {
  file: path => doubleCommas(withoutProtocol(plainPath(path))),
  filename: path => doubleCommas(plainPath(path)),
  nbd: ({ socket, export: name }) =>
    doubleCommas(nbdUrl(encodeName(argumentText(name)), encodeParameter(argumentText(socket)))),
}

/** The same for a QEMU as old as Xen 4.7 (before 3.0 and 6.0). */
export const safeTextOf2016: OptionText = {
  file: path => readByOldQemu(safeText.file(path)),
  filename: path => readByOldQemu(safeText.filename(path)),
  nbd: target => readByOldQemu(safeText.nbd(target)),
}

/** Such a QEMU cuts a value after 1,023 bytes, and the first ",id=" anywhere names the drive (`opts_parse`). */
function readByOldQemu(text: string): string {
  const value = text.replaceAll(',,', ',')
  if (Buffer.byteLength(value) > 1023)
    throw new LibxlError(
      'argument-text',
      `QEMUs as old as Xen 4.7 cut a name after 1,023 bytes, and ${show(value)} is longer`,
    )
  if (value.includes(',id='))
    throw new LibxlError(
      'argument-text',
      `QEMUs as old as Xen 4.7 would take what follows ",id=" in ${show(value)} for a drive's id`,
    )
  return text
}

/** In a QEMU option a comma ends the value; two stand for one. */
const doubleCommas = (text: string): string => (text.includes(',') ? text.replaceAll(',', ',,') : text)

/** QEMU's `path_has_protocol`: a colon before the first slash. */
const withoutProtocol = (path: string): string => (/^[^/:]*:/.test(path) ? `./${path}` : path)

/**
 * The name of a file in QEMU's terms: `/dev/fdset/N` would be a descriptor that QEMU has been handed (`qemu_open`).
 *
 * @throws LibxlError for a name that cannot be passed to a process
 */
export const plainPath = (path: string): string => argumentText(path).replace(/^\/dev\/fdset\//, '/dev/./fdset/')

/** A NUL would end an argument, and what is no UTF-8 becomes U+FFFD on Node's way to a process: both name another file. */
export function argumentText(text: string): string {
  if (text.includes('\0'))
    throw new LibxlError('argument-text', `no argument can hold a NUL character, but ${show(text)} does`)
  if (!text.isWellFormed()) {
    throw new LibxlError(
      'argument-text',
      `${show(text)} holds bytes that are not UTF-8: Node cannot pass them on to QEMU, so rename the file`,
    )
  }
  return text
}

/** A URL's parameter with all that would end it, or that RFC 3986 does not allow there, as %XX. */
const encodeParameter = (text: string): string =>
  encodeURIComponent(text).replace(/%(?:2F|3A|40|24|2C|3D|3F)/g, decodeURIComponent)

/** An export's name as a URL's path, without a comma. */
const encodeName = (text: string): string => encodeURIComponent(text).replaceAll('%2F', '/')

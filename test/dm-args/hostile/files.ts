import { spawnSync } from 'node:child_process'
import { constants, copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { MissingRealPart } from '../../support/real-part.js'
import { exportAt, type Slot } from './domain.js'
import type { Fate, HostileName } from './names.js'
import { type NbdSocket, serveNbd } from './socket.js'

/** What a name has become in a folder: the text that is given to buildDiskArgs, and the file made for it. */
export interface Placed {
  text: string
  /** Absolute; undefined for a socket. */
  file?: string
  socket?: NbdSocket
  /** The export that is asked for there. */
  asks?: string
}

/** The text of a name in a folder. A relative name stands as it is, and QEMU runs in that folder. */
export function textOf({ words, relative }: HostileName, folder: string, index: number): string {
  const text = words.join('').replace(/(^|\/)\.\.(?=\/|$)/g, '$1._.')
  if (text === '/dev/fdset/0' || (relative && !text.startsWith('/') && text.length < 2000)) return text
  // all of one length, on which the fate of a long name depends
  return `${folder}/s${`${index}`.padStart(2, '0')}/${text}`
}

/** What must become of a text: known without asking buildDiskArgs or QEMU. */
export function fateOf(text: string, field: Slot['field'], folder: string): Fate {
  if (text.includes('\0') || !text.isWellFormed()) return 'refused'
  if (text === '' && (field === 'activeDisk' || field === 'hiddenDisk')) return 'refused'
  if (text === '/dev/fdset/0' || /(?:^|\/)\.?$/.test(text)) return 'cannot exist'
  const longest = field === 'socket' || field === 'nbd' ? 107 : 4095
  if ([text, resolve(folder, text)].some(path => Buffer.byteLength(path) > longest)) return 'cannot exist'
  if (text.split('/').some(component => Buffer.byteLength(component) > 255)) return 'cannot exist'
  return 'opened'
}

/** The size of a slot's disk, by which one can tell which disk has which file. */
const sizeOf = (index: number): number => 65_536 + 512 * index

/** Makes the file, or the socket, that a name names. Where another is in its way, it gets a folder of its own. */
export async function make(name: HostileName, slot: Slot, folder: string, index: number): Promise<Placed> {
  const text = textOf(name, folder, index)
  if (fateOf(text, slot.field, folder) !== 'opened') return { text }
  const path = resolve(folder, text)
  try {
    mkdirSync(dirname(path), { recursive: true })
    if (slot.field === 'socket') return { text, socket: await serveNbd(path, sizeOf(index)), asks: '' }
    if (slot.field === 'nbd') return { text, socket: await serveNbd(path, sizeOf(index)), asks: exportAt(text) }
    writeFileSync(path, slot.format === 'qcow2' ? qcow2(sizeOf(index)) : '', { flag: 'wx' })
    if (slot.format === 'raw') truncateSync(path, sizeOf(index))
    makeDecoy(path, text)
    return { text, file: path }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const inTheWay = ['EEXIST', 'ENOTDIR', 'EISDIR', 'EADDRINUSE'].includes(code ?? '')
    if (!name.relative || !inTheWay) throw error
    return make({ ...name, relative: false }, slot, folder, index)
  }
}

/** What QEMU would open if the name ended at its first comma: the same file, where there is room for it. */
function makeDecoy(path: string, text: string): void {
  if (!text.includes(',')) return
  try {
    copyFileSync(path, path.slice(0, path.indexOf(',')), constants.COPYFILE_EXCL)
  } catch {
    // a folder, or another name
  }
}

let template: Buffer | undefined

/** Makes the image that all others are copies of. @throws MissingRealPart without qemu-img */
export function prepareImages(folder: string): void {
  const path = join(folder, 'template.qcow2')
  const args = ['create', '-q', '-f', 'qcow2', '-o', 'cluster_size=512', path, '1M']
  const { error, status, stderr } = spawnSync('qemu-img', args, { encoding: 'utf8' })
  if (error) throw new MissingRealPart('qemu-img', 'qemu-utils')
  if (status !== 0) throw new Error(`qemu-img failed: ${stderr}`)
  template = readFileSync(path)
}

/** An empty image of at most 1 MiB: the size is in the header's bytes 24 to 31. */
function qcow2(size: number): Buffer {
  const image = Buffer.from(template!)
  image.writeBigUInt64BE(BigInt(size), 24)
  return image
}

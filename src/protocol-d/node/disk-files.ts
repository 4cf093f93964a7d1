import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, statSync, truncateSync, unlinkSync } from 'node:fs'
import { checkInteger, checkObject, checkText } from '../../check-argument.js'
import { metaFileSize } from '../../keep/bitmap-file.js'
import { printable } from '../../printable.js'
import type { NodeFile } from '../file-host.js'
import { type Geometry, largestDisk, usualGeometry } from '../geometry.js'
import { ProtocolDError } from '../protocol-d-error.js'
import { ProtocolNode } from '../protocol-node.js'
import { NodeFiles } from './node-files.js'

/** Where a node has its files. */
export interface DiskFiles {
  /** The disk: a file or a block device. */
  data: string
  /** What the node must not forget. `DATA.meta` by default. */
  meta?: string | undefined
  /** The epochs that it received. `DATA.epochs` by default; as fast as the disk, or faster. */
  log?: string | undefined
}

export interface CreateOptions extends DiskFiles {
  /** The pair's name. */
  pair: string
  /** Of a disk that is not there yet, in bytes; a multiple of 512. */
  size?: number | undefined
  /** How many bytes the epochs may have that wait on a Secondary. 1 GiB by default. */
  logSize?: number | undefined
}

/** What to do, by the system's code. */
const hints: Readonly<Record<string, string>> = {
  EEXIST: ': no file is written over; give no size for a disk that is there, and remove the files of an old node',
  ENOENT: ': give a size for a disk that is to be made, and folders that are there',
}

/** The longest name of a pair, in characters. */
const pairAtMost = 256
const smallestLog = 64 * 1024 * 1024

export const filesOf = ({ data, meta, log }: DiskFiles): Record<NodeFile, string> => ({
  data,
  meta: meta ?? `${data}.meta`,
  log: log ?? `${data}.epochs`,
})

/**
 * Makes a node of a disk, which is made too where it is not there and a size is given. What the disk holds stays; whether it counts is for the
 * node to be told: of two new nodes, the one that is promoted by force.
 *
 * @throws ProtocolDError file-failed where a file is there already, or cannot be made; what was made by then is removed
 */
export async function createReplicatedDisk(options: CreateOptions): Promise<void> {
  checkCreate(options)
  const { pair, logSize = usualGeometry.logSize } = options
  const paths = filesOf(options)
  const made: string[] = []
  let files: NodeFiles | undefined
  try {
    const make = (path: string, size: number) => {
      // nothing is written through a link, nor over what is there
      closeSync(openSync(path, 'wx', 0o600))
      made.push(path)
      truncateSync(path, size)
    }
    if (options.size !== undefined) make(paths.data, options.size)
    const size = options.size ?? sizeOf(paths.data)
    if (size > largestDisk) throw new Error(`${paths.data} has ${size} bytes, and a node has ${largestDisk} at most`)
    const geometry: Geometry = { ...usualGeometry, size, logSize }
    make(paths.meta, metaFileSize(geometry))
    make(paths.log, 0)
    files = new NodeFiles(paths)
    const host = files
    await new Promise<void>((resolve, reject) => {
      const logId = randomBytes(4).readUInt32LE()
      ProtocolNode.create(host, { geometry, pair, logId }, error => (error ? reject(error) : resolve()))
    })
  } catch (error) {
    for (const path of made) unlinkSync(path)
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new ProtocolDError('file-failed', `cannot make the node: ${printable(message)}${hints[code] ?? ''}`, {
      cause: error,
    })
  } finally {
    await files?.close()
  }
}

function checkCreate(options: CreateOptions): void {
  checkObject('options', options)
  for (const name of ['data', 'pair'] as const) checkText(name, options[name])
  checkInteger('the length of pair', options.pair.length, 1, pairAtMost)
  const { size, logSize } = options
  if (size !== undefined) checkInteger('size / 512', size / 512, 1, largestDisk / 512)
  if (logSize !== undefined) checkInteger('logSize', logSize, smallestLog, Number.MAX_SAFE_INTEGER)
}

/** The size of what is there, in bytes. A block device says it in sectors of 512 bytes. */
function sizeOf(path: string): number {
  const stats = statSync(path)
  if (stats.isFile() && stats.size > 0 && stats.size % 512 === 0) return stats.size
  if (!stats.isBlockDevice()) throw new Error(`${path} is neither a disk image nor a block device`)
  // as Linux packs both into one number
  const { rdev } = stats
  const device = `${(rdev >>> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >>> 12) & 0xfff00)}`
  return Number(readFileSync(`/sys/dev/block/${device}/size`, 'utf8')) * 512
}

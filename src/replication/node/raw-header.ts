import { execFile } from 'node:child_process'
import { link, lstat, mkdtemp, open, rm, stat, truncate } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { jsonText } from '../../dm-args/blockdev/json-text.js'
import { printable } from '../../printable.js'
import { ReplicationError } from '../replication-error.js'

const run = promisify(execFile)

export interface RawHeaderOptions {
  /** The raw image, or block device. It is neither read nor written. */
  image: string
  /** The file that is made: one that is not there. */
  header: string
  /** The node's name in QEMU. */
  node: string
}

/** A raw image with a qcow2 header beside it, in which QEMU keeps dirty bitmaps. */
export interface RawHeader {
  /** Both from the root. */
  image: string
  header: string
  /** Of the disk, in bytes. */
  size: number
  node: string
  /** How a QEMU opens it. */
  arguments: readonly string[]
}

/** What QEMU takes for the name of a node. */
const nodeShape = /^[A-Za-z][A-Za-z0-9._-]{0,30}$/
/** QEMU has disks of whole sectors. */
const sector = 512
/** Of the header's features: the data is in another file; and stands there as in a raw image. */
const externalData = 4n
const rawData = 2n

/**
 * Makes a qcow2 header for a raw disk, in which QEMU can keep bitmaps: the data stays where it is, and the image is as raw as before. QEMU's tools
 * would empty the image that a new header is for: it is made for another file of that size, and gets the image's name afterwards.
 *
 * @throws ReplicationError bad-name, not-found, in-use where the header is there already, wrong-state, file-failed; LibxlError for a path that QEMU cannot be told
 */
export async function makeRawHeader({ image: given, header: wanted, node }: RawHeaderOptions): Promise<RawHeader> {
  const image = resolve(given)
  const header = resolve(wanted)
  if (!nodeShape.test(node))
    throw new ReplicationError(
      'bad-name',
      `a node of QEMU's cannot be named '${printable(node)}': a letter, then up to 30 letters, digits, dots, dashes and underscores`,
    )
  const { size, driver } = await diskAt(image)
  const file = { driver: 'file', filename: jsonText(header) }
  const data = { driver, filename: jsonText(image) }
  const blockdev = JSON.stringify({ driver: 'qcow2', 'node-name': node, file, 'data-file': data })
  if (await isThere(header)) throw inUse(header)
  // in its own folder nobody else has a part of it, and the same file system takes a link
  const folder = await mkdtemp(`${header}.`).catch(error => {
    throw failed(header, error)
  })
  try {
    await build(folder, image, size)
    await link(join(folder, 'header'), header)
    await syncFolder(dirname(header))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw inUse(header)
    throw error instanceof ReplicationError ? error : failed(header, error as Error)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return { image, header, size, node, arguments: ['-blockdev', blockdev] }
}

/** @throws ReplicationError not-found, wrong-state */
async function diskAt(image: string): Promise<{ size: number; driver: 'file' | 'host_device' }> {
  const shown = printable(image)
  const stats = await stat(image).catch(error => {
    throw new ReplicationError('not-found', `there is no image ${shown}: ${printable(error.message)}`, { cause: error })
  })
  const isDevice = stats.isBlockDevice()
  if (!stats.isFile() && !isDevice)
    throw new ReplicationError('wrong-state', `${shown} is neither a file nor a block device`)
  const size = isDevice ? await deviceSize(image) : stats.size
  if (size === 0 || size % sector !== 0)
    throw new ReplicationError('wrong-state', `${shown} has ${size} bytes, which are no whole sectors of ${sector}`)
  return { size, driver: isDevice ? 'host_device' : 'file' }
}

async function deviceSize(image: string): Promise<number> {
  const { stdout } = await tool('qemu-img', ['info', '-U', '--output=json', '-f', 'raw', '--', image])
  const { 'virtual-size': size } = JSON.parse(stdout) as Record<string, unknown>
  if (typeof size === 'number') return size
  throw new ReplicationError('file-failed', `qemu-img does not say the size of ${printable(image)}`)
}

/** Makes the header in a folder that is its own, under names without anything that an option could mean. */
async function build(folder: string, image: string, size: number): Promise<void> {
  const [header, data] = ['header', 'data']
  await (await open(join(folder, data), 'wx', 0o600)).close()
  await truncate(join(folder, data), size)
  const options = `data_file=${data},data_file_raw=on,preallocation=metadata`
  await tool('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', options, header, String(size)], folder)
  await tool(
    'qemu-img',
    ['amend', '-q', '-f', 'qcow2', '-o', `data_file=${image.replaceAll(',', ',,')}`, header],
    folder,
  )
  await check(join(folder, header), image, size)
}

/** That is it: what a QEMU of another version made of the options is not taken on trust. */
async function check(path: string, image: string, size: number): Promise<void> {
  const file = await open(path, 'r')
  try {
    const start = Buffer.alloc(65_536)
    await file.read(start, 0, start.length, 0)
    const isQcow2 = start.readUInt32BE(0) === 0x514649fb && start.readUInt32BE(4) === 3
    const isRight =
      isQcow2 &&
      start.readBigUInt64BE(24) === BigInt(size) &&
      (start.readBigUInt64BE(72) & externalData) !== 0n &&
      (start.readBigUInt64BE(88) & rawData) !== 0n &&
      start.includes(image)
    if (!isRight) throw new ReplicationError('file-failed', 'qemu-img has made another header than it was asked for')
    await file.sync()
  } finally {
    await file.close()
  }
}

async function tool(program: string, args: readonly string[], cwd?: string): Promise<{ stdout: string }> {
  const { PATH } = process.env
  try {
    return await run(program, args, { cwd, maxBuffer: 1024 * 1024, env: { PATH, LC_ALL: 'C' } })
  } catch (error) {
    const { stderr, message, code } = error as NodeJS.ErrnoException & { stderr?: string }
    const why = code === 'ENOENT' ? `there is no ${program} here: install qemu-utils` : (stderr || message).trim()
    throw new ReplicationError('file-failed', `${program} cannot make the header: ${printable(why)}`, { cause: error })
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const inUse = (header: string) =>
  new ReplicationError(
    'in-use',
    `${printable(basename(header))} is there already, in ${printable(dirname(header))}: nothing is written over it`,
  )

const failed = (header: string, error: Error) =>
  new ReplicationError('file-failed', `the header ${printable(header)} cannot be made: ${printable(error.message)}`, {
    cause: error,
  })

import { flock } from '../../flock.js'
import { printable } from '../../printable.js'
import { XenlightError } from '../../xenlight-error.js'
import { usualGeometry } from '../geometry.js'
import type { NodeHost } from '../node-host.js'
import { ProtocolDError } from '../protocol-d-error.js'
import { ProtocolNode } from '../protocol-node.js'
import { type DiskFiles, filesOf } from './disk-files.js'
import { NodeFiles } from './node-files.js'
import { later } from './promised.js'
import type { ReplicatedDiskOptions } from './replicated-disk-options.js'

/** A node, and its open files, which no other process has. */
export interface OpenNode {
  node: ProtocolNode
  files: NodeFiles
}

/** Opens a node on its files. @throws ProtocolDError in-use, other-pair, no-metadata, file-failed; nothing is left open then */
export async function openNode(options: ReplicatedDiskOptions, host: Omit<NodeHost, 'file'>): Promise<OpenNode> {
  const { memory = 64 * 1024 * 1024, afterSplitBrain = 'disconnect' } = options
  const { asksAlone = false, acknowledgeFromMemory = false } = options
  const files = openFiles(options)
  try {
    await lock(files, options)
    const { activeExtents } = usualGeometry
    const nodeOptions = { memory, activeExtents, afterSplitBrain, asksAlone, acknowledgeFromMemory }
    const onFiles: NodeHost = { ...host, file: files.file.bind(files) }
    const node = await later<ProtocolNode>(done => ProtocolNode.open(onFiles, nodeOptions, done))
    checkPair(node, options)
    checkSize(node, files, options)
    return { node, files }
  } catch (error) {
    await files.close()
    if (error instanceof XenlightError) throw error
    throw fileFailed('use', error as Error)
  }
}

function openFiles(options: DiskFiles): NodeFiles {
  try {
    return new NodeFiles(filesOf(options))
  } catch (error) {
    throw fileFailed('open', error as NodeJS.ErrnoException)
  }
}

function fileFailed(doing: string, cause: NodeJS.ErrnoException): Error {
  const hint = cause.code === 'ENOENT' ? ': create the node first, or say where its files are' : ''
  return new ProtocolDError('file-failed', `cannot ${doing} a file of the node: ${printable(cause.message)}${hint}`, {
    cause,
  })
}

/** The disk too: a node of another name may have it. */
async function lock(files: NodeFiles, { data }: DiskFiles): Promise<void> {
  if (files.areOne)
    throw new ProtocolDError('file-failed', `two files of the node of ${printable(data)} are one: name three`)
  for (const descriptor of files.lockable) {
    if (await flock(descriptor, { timeout: 2000 })) continue
    throw new ProtocolDError('in-use', `another process has the node of ${printable(data)}: end that one first`)
  }
}

/** Else it would take part in a pair that it has nothing of. */
function checkPair(node: ProtocolNode, { pair, data }: ReplicatedDiskOptions): void {
  if (node.pair === pair) return
  const which = `the node of ${printable(data)} was made for a pair of another name`
  throw new ProtocolDError('other-pair', `${which}: serve it with the name that it was made with, or make it anew`)
}

/** What a disk has lost would read as zeroes. */
function checkSize({ geometry: { size } }: ProtocolNode, { dataSize }: NodeFiles, { data }: DiskFiles): void {
  if (dataSize === size || dataSize === undefined) return
  const which = `${printable(data)} has ${dataSize} bytes, and had ${size} when its node was made`
  throw new ProtocolDError('file-failed', `${which}: put the right disk there, or make the node anew`)
}

import { toByteString } from '../../byte-text.js'
import type { XenstoreNode } from '../../libxl/disk-to-nodes.js'

interface Branch<Device> {
  path: string
  branches: Map<string, Branch<Device>>
  /** Those that have a directory of their own in this one. */
  devices: Device[]
}

const branch = <Device>(path: string): Branch<Device> => ({ path, branches: new Map(), devices: [] })

/**
 * The devices' nodes as `xenstore-ls -fp` prints them from a store into which they were written device by device: each
 * directory is followed by what is in it. The directories above the devices are left out. A device's nodes are asked for
 * once more whenever they are needed, as those of very many devices fit into no memory.
 */
export function listNodes<Device>(
  devices: Iterable<Device>,
  nodesOf: (device: Device) => readonly XenstoreNode[],
): Iterable<string> {
  const root = branch<Device>('')
  for (const device of devices)
    for (const { path } of directories(nodesOf(device))) {
      const names = path.split('/').slice(1, -1)
      names.reduce(enter, root).devices.push(device)
    }
  return lines(root, nodesOf)
}

/** The topmost of a device's nodes. */
function directories(nodes: readonly XenstoreNode[]): XenstoreNode[] {
  const paths = new Set(nodes.map(({ path }) => path))
  return nodes.filter(({ path }) => !paths.has(path.slice(0, path.lastIndexOf('/'))))
}

function enter<Device>({ path, branches }: Branch<Device>, name: string): Branch<Device> {
  const next = branches.get(name) ?? branch(`${path}/${name}`)
  branches.set(name, next)
  return next
}

/** A device's path is at most eight names deep. */
function* lines<Device>(
  { path, branches, devices }: Branch<Device>,
  nodesOf: (device: Device) => readonly XenstoreNode[],
): Generator<string> {
  for (const device of devices)
    yield nodesOf(device)
      .filter(node => node.path.startsWith(`${path}/`))
      .map(line)
      .join('')
  for (const next of branches.values()) yield* lines(next, nodesOf)
}

const line = ({ path, value, perms }: XenstoreNode): string => `${path} = "${escapeValue(value)}"   (${perms})\n`

/** The escapes of Xen's xenstore clients. A quotation mark is not escaped. */
const escapeValue = (value: string): string => toByteString(value).replace(/[^\x20-\x5b\x5d-\x7e]/g, escapeByte)

const short: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' }

function escapeByte(byte: string): string {
  const code = byte.charCodeAt(0)
  return short[byte] ?? (code < 8 ? `\\00${code}` : `\\x${code.toString(16).padStart(2, '0')}`)
}

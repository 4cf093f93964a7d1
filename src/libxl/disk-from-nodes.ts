import { checkFlag, checkObject, checkOptionalText, wrongType } from '../check-argument.js'
import { checkDomid } from './check-guest.js'
import type { DeviceDisk } from './device-disk.js'
import { frontendPath } from './device-paths.js'
import { diskFromValues } from './disk-from-values.js'
import type { XenstoreNode } from './disk-to-nodes.js'
import { locateDevice } from './locate-device.js'

/** Which disk `diskFromNodes` is to read, and how. */
export interface FromNodesOptions {
  /** The guest's domain. */
  domid: number
  /** The disk wanted, by its name; may be left out where the nodes are of one disk only. */
  vdev?: string | undefined
  /** Read what libxl reads and nothing else; see `diskFromNodes`. */
  libxlExact?: boolean | undefined
}

/**
 * The record of an attached disk, from its xenstore nodes (`libxl__disk_from_xenstore`). Values come from libxl's own
 * tree, /libxl/DOMID/device, to which no guest can write. Nodes of other devices may stand among them.
 *
 * libxl forgets part of what it wrote. Unless `libxlExact` is set, this function also restores the format, the whole
 * target (libxl cuts it after its first colon whatever the backend), the script, discard-enable and direct-io-safe; COLO
 * strings that libxl wrote as "(null)" are absent again. `trusted` is stored in the guest's own directory alone, so only a
 * "0" there counts: a guest can lower its trust in a backend, never raise it. Not stored anywhere, hence never restored:
 * the backend domain's name and `coloRestoreEnable`.
 *
 * @throws LibxlError with libxl's reason where the disk or one of its nodes is missing or unreadable
 * @throws TypeError, RangeError for nodes that are none, and a domid outside 0 to 32751
 */
export function diskFromNodes(
  nodes: Iterable<Pick<XenstoreNode, 'path' | 'value'>>,
  options: FromNodesOptions,
): DeviceDisk {
  checkObject('options', options, 'an object with domid at least')
  checkDomid(options.domid)
  checkOptionalText('options.vdev', options.vdev)
  checkFlag('libxlExact', options.libxlExact)
  const { domid, libxlExact = false } = options
  const values = valuesOf(nodes)
  const { path, kind, devid } = locateDevice(values.keys(), options)
  const guestTrusted = values.get(`${frontendPath(domid, kind, devid)}/trusted`)
  const read = (key: string) => values.get(`${path}/${key}`)
  return diskFromValues(read, { domid, kind, devid }, { guestTrusted, libxlExact })
}

function valuesOf(nodes: unknown): Map<string, string> {
  const given = nodes as Iterable<Partial<XenstoreNode> | null>
  if (typeof given?.[Symbol.iterator] !== 'function' || typeof given === 'string')
    throw wrongType('nodes', 'an array or iterable of nodes', nodes)
  const values = new Map<string, string>()
  for (const node of given) {
    if (typeof node?.path !== 'string' || typeof node.value !== 'string')
      throw wrongType('each of the nodes', 'an object with the strings path and value', node)
    values.set(node.path, node.value)
  }
  return values
}

import { checkFlag, checkObject, checkOptionalText, wrongType } from '../check-argument.js'
import { blankDisk } from './blank-disk.js'
import { atoi, atou, scanUnsigned, strtoul } from './c-integer.js'
import { checkDomid } from './check-guest.js'
import type { DeviceDisk, DiskBackend } from './device-disk.js'
import { frontendPath } from './device-paths.js'
import type { XenstoreNode } from './disk-to-nodes.js'
import { diskSpecifications, diskTransports, findWord } from './disk-words.js'
import { LibxlError } from './libxl-error.js'
import { type DeviceLocation, locateDevice } from './locate-device.js'
import { restoreForgotten } from './restore-forgotten.js'

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
  const values = valuesOf(nodes)
  const location = locateDevice(values.keys(), options)
  const disk = readAsLibxl(values, location)
  if (options.libxlExact) return disk
  const guestNode = `${frontendPath(options.domid, location.kind, location.devid)}/trusted`
  return restoreForgotten(disk, key => values.get(`${location.path}/${key}`), values.get(guestNode))
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

function readAsLibxl(values: ReadonlyMap<string, string>, { path }: DeviceLocation): DeviceDisk {
  const read = (key: string): string | undefined => values.get(`${path}/${key}`)
  const need = (key: string): string => {
    const value = read(key)
    if (value === undefined) throw new LibxlError('node-missing', `Missing xenstore node ${path}/${key}`)
    return value
  }

  const disk = blankDisk()
  const backend = read('backend')
  if (backend === undefined) throw new LibxlError('device-missing', `disk ${path} does not exist (no backend path`)
  disk.backendDomid = domidOfBackend(backend)
  const params = read('params')
  disk.pdevPath = params?.slice(params.indexOf(':') + 1)

  const coloHost = read('colo-host')
  disk.coloEnable = coloHost !== undefined
  if (coloHost !== undefined) {
    disk.coloHost = coloHost
    disk.coloPort = atoi(need('colo-port'))
    disk.coloExport = need('colo-export')
    disk.activeDisk = need('active-disk')
    disk.hiddenDisk = need('hidden-disk')
  }

  disk.backend = backends.get(need('type')) ?? 'unknown'
  disk.specification = wordOf(read('specification') ?? 'xen', diskSpecifications, `${path}/specification`)
  if (disk.specification === 'virtio') {
    disk.transport = wordOf(need('transport'), diskTransports, `${path}/transport`)
    if (disk.transport !== 'mmio') {
      throw new LibxlError('node-invalid', 'Only transport mmio is expected for specification virtio')
    }
    disk.base = safeBase(need('base'), path)
    disk.irq = atou(need('irq'))
    const grantUsage = read('grant_usage')
    disk.grantUsage = grantUsage === undefined ? disk.backendDomid !== 0 : strtoul(grantUsage, 0).value !== 0n
  }

  disk.vdev = need('dev')
  disk.removable = atoi(need('removable')) !== 0
  disk.readwrite = need('mode') === 'w'
  disk.isCdrom = need('device-type') === 'cdrom'
  return disk
}

/** What the node `type` may say (`libxl_string_to_backend`). */
const backends: ReadonlyMap<string, DiskBackend> = new Map([
  ['phy', 'phy'],
  ['file', 'tap'],
  ['vbd3', 'tap'],
  ['qdisk', 'qdisk'],
  ['standalone', 'standalone'],
])

const domainRoot = '/local/domain/'

function domidOfBackend(path: string): number {
  const domid = path.startsWith(domainRoot) ? scanUnsigned(path, domainRoot.length) : undefined
  if (domid === undefined || path[domid.end] !== '/') {
    throw new LibxlError('link-invalid', `Unable to fetch device backend domid from ${path}`)
  }
  return domid.value
}

function wordOf<Word extends string>(text: string, words: readonly Word[], path: string): Word {
  const word = findWord(words, text)
  if (word === undefined) throw new LibxlError('node-invalid', `Unable to parse xenstore node ${path}`)
  return word
}

function safeBase(text: string, path: string): number {
  const { value } = strtoul(text, 10)
  if (value === undefined || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new LibxlError(
      'node-invalid',
      `xenstore node ${path}/base is ${text}: addresses from 2^53 up are not supported`,
    )
  }
  return Number(value)
}

import { jsonText } from '../../dm-args/blockdev/json-text.js'
import { blankDisk } from '../../libxl/blank-disk.js'
import { formatNbdUrl } from '../../nbd/nbd-url.js'
import { formatDisk } from '../../xlu/format-disk.js'
import type { VolumeInfo } from '../wire/message.js'
import { checkName } from './names.js'

/** Where a hub serves NBD. */
export type NbdAddress = { path: string } | { host?: string | undefined; port: number }

/** What the recovery side needs to have a volume of a branch. */
export interface VolumeStart {
  volume: string
  /** In bytes. */
  size: number
  /** What an NBD client asks for. */
  exportName: string
  url: string
  /** The node's name in QEMU, for a device's `drive=`. */
  node: string
  /** The value of QEMU's `-blockdev`. */
  blockdev: string
  /** An xl disk spec; undefined where the hub serves over TCP, which no spec can say. */
  disk?: string | undefined
}

/** All of it: QEMU's arguments are those of all volumes, in their order. */
export interface BranchStart {
  volumes: readonly VolumeStart[]
  arguments: readonly string[]
}

export interface StartOptions {
  group: string
  branch: string
  volumes: readonly VolumeInfo[]
  /** Where the hub serves NBD: for QEMU, as the recovery side reaches it. */
  address: NbdAddress
  /** The name in the hub's certificate, where its clients have to show one, too. */
  certified?: string | undefined
  /** How long QEMU waits for a hub that is gone, in seconds. 10 by default. */
  reconnectDelay?: number | undefined
}

/** QEMU's object with the recovery side's own certificate; whoever starts QEMU says where that is. */
const credentials = 'rephub'

/** An export's name: `GROUP/BRANCH/VOLUME`. */
const exportNameOf = (group: string, branch: string, volume: string): string => `${group}/${branch}/${volume}`

/** The places that libxl gives an emulated disk: IDE has four, SCSI more. */
const vdevOf = (index: number): string => {
  const letter = (place: number) => String.fromCharCode('a'.charCodeAt(0) + place)
  return index < 4 ? `hd${letter(index)}` : `sd${letter(index - 4)}`
}
const vdevsAtMost = 4 + 26

/**
 * How a QEMU, or a guest of xl's, is started with the disks of a branch. All names are checked, and are the values of JSON's members and
 * the path of a URL: none becomes an option.
 *
 * @throws ReplicationError bad-name; LibxlError, NbdError for an address that cannot be said
 */
export function startArguments(options: StartOptions): BranchStart {
  const { group, branch, volumes } = options
  checkName('group', group)
  checkName('branch', branch)
  const starts = [...volumes]
    .sort((a, b) => a.number - b.number)
    .map((volume, index) => startOf(options, volume, index))
  return { volumes: starts, arguments: starts.flatMap(({ blockdev }) => ['-blockdev', blockdev]) }
}

function startOf(options: StartOptions, { number, name, size }: VolumeInfo, index: number): VolumeStart {
  const { group, branch, address, certified, reconnectDelay = 10 } = options
  checkName('volume', name)
  const exportName = exportNameOf(group, branch, name)
  const node = `replica-${number}`
  const at = 'path' in address ? address : { host: address.host ?? '127.0.0.1', port: address.port }
  const server =
    'path' in at
      ? { type: 'unix', path: jsonText(at.path) }
      : { type: 'inet', host: jsonText(at.host), port: String(at.port) }
  const tls = certified === undefined ? {} : { 'tls-creds': credentials, 'tls-hostname': certified }
  const nbd = { driver: 'nbd', server, export: exportName, ...tls, 'reconnect-delay': reconnectDelay }
  const url = formatNbdUrl({ tls: certified !== undefined, address: at, exportName })
  return {
    volume: name,
    size,
    exportName,
    url,
    node,
    blockdev: JSON.stringify({ driver: 'raw', 'node-name': node, file: nbd }),
    disk: 'path' in at && index < vdevsAtMost ? diskOf(url, vdevOf(index)) : undefined,
  }
}

const diskOf = (url: string, vdev: string): string =>
  formatDisk({ ...blankDisk(), pdevPath: url, vdev, format: 'raw', backend: 'qdisk', readwrite: true })

import { Buffer } from 'node:buffer'
import type { DiskTarget } from '../../libxl/choose-backend.js'
import type { DeviceDisk } from '../../libxl/device-disk.js'
import { looksLikeNetwork, parseNbdTarget } from '../../libxl/nbd-target.js'
import { show } from '../../libxl/show-text.js'
import { isName, nameRule } from '../../replication/name.js'

/** What the rules know of a disk that an agent is to serve. */
export interface ProtectFacts {
  disk: DeviceDisk
  /** Looks at its target; undefined where nobody can. */
  target: () => DiskTarget | undefined
  /** Where the agent would serve it. */
  socket: string
  /** A disk of the guest before it has its name. */
  sameName: boolean
  /** The protected disk before it that has its target. */
  sameTarget: string | undefined
}

interface ProtectRule {
  /** The field of the record that it is about. */
  field?: keyof DeviceDisk
  /** Why an agent cannot serve such a disk. */
  broken: (facts: ProtectFacts) => string | false | undefined
  /** What to do about it. Without it there is nothing to do: the guest writes nothing there. */
  fix?: string
}

/** A rule that a disk breaks. */
export interface BrokenProtectRule {
  field: keyof DeviceDisk | undefined
  why: string
  fix: string | undefined
}

/** `sun_path` of unix(7) without the NUL that ends it. */
const longestSocket = 107
/** Of a path in an agent's configuration, in characters. */
const longestPath = 4096

/** In the order in which they are told. */
const rules: readonly ProtectRule[] = [
  { field: 'isCdrom', broken: ({ disk }) => disk.isCdrom && 'the guest writes nothing to a CD drive' },
  { field: 'readwrite', broken: ({ disk }) => !disk.readwrite && 'the guest may not write to it' },
  {
    field: 'coloEnable',
    broken: ({ disk }) => disk.coloEnable && 'COLO has its place in the block graph',
    fix: "take colo away, or protect it as a running disk, as a child of COLO's quorum",
  },
  {
    field: 'backendDomname',
    broken: ({ disk }) =>
      (disk.backendDomname !== undefined || disk.backendDomid !== 0) &&
      `the agent runs on this host, and the domain ${show(disk.backendDomname ?? String(disk.backendDomid))} serves it`,
    fix: 'leave backend out where the image is here; else protect it in the domain that has it',
  },
  {
    field: 'script',
    broken: ({ disk }) => disk.script !== undefined && 'the agent runs no hotplug script',
    fix: 'make the device before, and give that: target=/dev/… without script',
  },
  {
    field: 'specification',
    broken: ({ disk }) => disk.specification === 'virtio' && 'virtio disks are files and devices, and no NBD exports',
    fix: 'leave specification out',
  },
  {
    field: 'backend',
    broken: ({ disk: { backend } }) =>
      backend !== 'unknown' && backend !== 'qdisk' && `QEMU opens the agent's export, and not ${backend}`,
    fix: 'write backendtype=qdisk, or leave it out',
  },
  {
    field: 'pdevPath',
    broken: ({ disk }) => parseNbdTarget(disk.pdevPath) !== undefined && 'its target is an NBD export already',
    fix: 'give the image that is served there',
  },
  {
    field: 'pdevPath',
    broken: ({ disk }) => looksLikeNetwork(disk.pdevPath ?? '') && 'its target is on another machine',
    fix: 'the agent opens files and block devices of this host: make it one of those, or protect it as a running disk',
  },
  {
    field: 'format',
    broken: ({ disk: { format } }) =>
      format !== 'raw' && format !== 'qcow2' && `the agent serves raw and qcow2 images, and this is ${format}`,
    fix: 'convert it with qemu-img convert -O qcow2, or protect it as a running disk',
  },
  {
    field: 'pdevPath',
    broken: ({ disk: { pdevPath = '' } }) => !pdevPath.startsWith('/') && 'its target has no absolute path',
    fix: 'write the whole path: the agent has another working directory',
  },
  {
    field: 'pdevPath',
    broken: ({ disk: { pdevPath = '' } }) =>
      (!pdevPath.isWellFormed() || pdevPath.includes('\0')) &&
      "the agent's configuration is text, and its path is none: it has a NUL, or bytes that are no UTF-8",
    fix: 'rename it, or give a link to it',
  },
  {
    field: 'pdevPath',
    broken: ({ disk: { pdevPath = '' } }) =>
      pdevPath.length > longestPath && `its path has more than ${longestPath} characters`,
    fix: 'give a link to it',
  },
  { field: 'pdevPath', broken: ({ target }) => whyNoImage(target()), fix: 'correct the path' },
  {
    field: 'vdev',
    broken: ({ disk: { vdev = '' } }) => !isName(vdev) && `${show(vdev)} cannot be the name of a replicated disk`,
    fix: `it has to be ${nameRule}`,
  },
  {
    field: 'vdev',
    broken: ({ sameName }) => sameName && 'another disk of the guest has its name',
    fix: 'give each disk a vdev of its own',
  },
  {
    field: 'pdevPath',
    broken: ({ sameTarget }) => sameTarget !== undefined && `${sameTarget} has its image already`,
    fix: 'give each disk an image of its own',
  },
  {
    broken: ({ socket }) =>
      Buffer.byteLength(socket) > longestSocket &&
      `its socket ${show(socket)} has ${Buffer.byteLength(socket)} bytes, and ${longestSocket} are possible`,
    fix: 'take a shorter folder for the sockets, or a shorter name for the group',
  },
]

/** The first rule that keeps an agent from serving a disk. */
export function firstBrokenProtectRule(facts: ProtectFacts): BrokenProtectRule | undefined {
  for (const { field, broken, fix } of rules) {
    const why = broken(facts)
    if (why) return { field, why, fix }
  }
  return undefined
}

const whyNoImage = (target: DiskTarget | undefined): string | undefined => {
  if (target === 'missing') return 'its target cannot be examined on this host'
  return target === 'dir' || target === 'char' ? 'its target is no file and no block device' : undefined
}

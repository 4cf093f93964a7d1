import { parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import type { DiskArgsOptions } from 'xenlight/dm-args'

/** A text of a disk that names a file, or a socket. */
export type Field = 'target' | 'nbd' | 'published' | 'socket' | 'activeDisk' | 'hiddenDisk'

/** A place for a hostile name in a domain. */
export interface Slot {
  disk: number
  field: Field
  format: 'raw' | 'qcow2'
}

/** A guest whose disks have been chosen, and their names not. */
export interface Domain {
  name: string
  options: DiskArgsOptions
  disks: readonly ResolvedDisk[]
  slots: readonly Slot[]
}

const published: Partial<ResolvedDisk> = { backend: 'phy', format: 'raw', script: 'block-iscsi' }
const tap: Partial<ResolvedDisk> = { backend: 'tap', format: 'raw', script: 'block-tap' }
const overNbd: Partial<ResolvedDisk> = { pdevPath: 'nbd+unix:///?socket=/x' }
const medium: Partial<ResolvedDisk> = { isCdrom: true, readwrite: false }
const qcow2: Partial<ResolvedDisk> = { format: 'qcow2' }
const readOnly: Partial<ResolvedDisk> = { readwrite: false }

const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => prefix + String.fromCharCode(97 + index))

function domain(name: string, options: Partial<DiskArgsOptions>, changes: [string, Partial<ResolvedDisk>][]): Domain {
  const disks = changes.map(([vdev, change]) => ({ ...disk(vdev), ...change }))
  const slots = disks.flatMap((disk, index) => slotsOf(disk, index, options.coloRestore === true))
  return { name, options: { domainType: 'hvm', ...options }, disks, slots }
}

function disk(vdev: string): ResolvedDisk {
  const given = parseDisk(`vdev=${vdev},backendtype=qdisk,target=/x`)
  return resolveDisk(given, { domid: 1, domainType: 'hvm', target: 'file', domidOf: () => undefined, create: true })
}

function slotsOf({ backend, format, coloEnable, pdevPath }: ResolvedDisk, disk: number, secondary: boolean): Slot[] {
  const nbd = pdevPath?.startsWith('nbd+unix:')
  if (backend !== 'qdisk') return [{ disk, field: backend === 'tap' ? 'socket' : 'published', format: 'raw' }]
  if (nbd) return [{ disk, field: 'nbd', format: 'raw' }]
  const target: Slot = { disk, field: 'target', format: format === 'qcow2' ? 'qcow2' : 'raw' }
  if (!coloEnable || !secondary) return [target]
  return [target, { disk, field: 'activeDisk', format: 'qcow2' }, { disk, field: 'hiddenDisk', format: 'qcow2' }]
}

/** A change for each disk, in turn. */
const each = (vdevs: readonly string[], ...changes: Partial<ResolvedDisk>[]): [string, Partial<ResolvedDisk>][] =>
  vdevs.map((vdev, index) => [vdev, changes[index % changes.length]!])

const colo = (vdevs: readonly string[]): [string, Partial<ResolvedDisk>][] =>
  vdevs.map((vdev, index) => [
    vdev,
    {
      ...(index % 2 ? qcow2 : {}),
      ...{ coloEnable: true, coloHost: '192.0.2.1', coloPort: 9000, coloExport: `export-${vdev}` },
      ...{ activeDisk: '/a', hiddenDisk: '/h' },
    },
  ])

const ide = names('hd', 4)
const scsi = names('sd', 8)

/** Every kind of drive that buildDiskArgs writes. */
export const domains = {
  ide: domain('ide', {}, [
    ...each(ide, {}, qcow2, medium, published),
    ...each(scsi, {}, qcow2, published, readOnly, {}),
  ]),
  ahci: domain('ahci', { hdtype: 'ahci' }, [
    ...each(names('xvd', 6), {}, qcow2, published),
    ...each(scsi, {}, qcow2),
    ...each(ide, medium, { ...medium, ...published }),
  ]),
  nbd: domain('nbd', {}, each([...ide, ...scsi], overNbd)),
  tap: domain('tap', {}, each([...ide, ...scsi], tap)),
  primary: domain('primary', {}, colo([...ide, ...scsi])),
  secondary: domain('secondary', { coloRestore: true }, colo([...ide, ...scsi])),
  ide47: domain('ide 4.7', { dialect: '4.7' }, each(ide, {}, qcow2, medium, published)),
} satisfies Record<string, Domain>

/** The disks, with a name in each slot and an id for each disk, and what their scripts have published. */
export function named(
  { disks, slots, options }: Domain,
  texts: readonly string[],
  exports: readonly (string | undefined)[] = [],
): { disks: ResolvedDisk[]; options: DiskArgsOptions } {
  const made = disks.map((disk, index) =>
    exports[index] === undefined ? disk : { ...disk, coloExport: exports[index] },
  )
  const publishedBy = new Map<string, string>()
  for (const [index, { disk, field }] of slots.entries()) {
    const text = texts[index]!
    if (field === 'published' || field === 'socket') publishedBy.set(made[disk]!.vdev, text)
    else if (field === 'nbd') made[disk] = { ...made[disk]!, pdevPath: nbdUrl(text) }
    else made[disk] = { ...made[disk]!, [field === 'target' ? 'pdevPath' : field]: text }
  }
  return { disks: made, options: { ...options, physicalDevicePath: ({ vdev }) => publishedBy.get(vdev) } }
}

/** The part of a domain that has the slot: one disk. */
export function alone(domain: Domain, slot: number): { domain: Domain; slot: number } {
  const { disk } = domain.slots[slot]!
  const first = domain.slots.findIndex(other => other.disk === disk)
  const slots = domain.slots.filter(other => other.disk === disk).map(other => ({ ...other, disk: 0 }))
  return { domain: { ...domain, disks: [domain.disks[disk]!], slots }, slot: slot - first }
}

/** The export that is asked for at a socket: as hostile as the socket's name. */
export const exportAt = (socket: string): string => socket.slice(1)

const nbdUrl = (socket: string): string =>
  `nbd+unix:///${encodeURIComponent(exportAt(socket))}?socket=${encodeURIComponent(socket)}`

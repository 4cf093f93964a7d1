import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Test } from 'tap'
import { parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { dirtyExtents, type OverlayFiles, type PairOptions, type RecordStore, recordFolder } from 'xenlight/colo'
import type { Form } from '../dm-args/real-qemu/forms.js'
import { guestIo } from '../dm-args/real-qemu/replicated-pair.js'
import { type Qemu, type QemuBinary, startQemu } from '../real/qemu.js'
import { type DiskImages, diskImages } from '../support/disk-images.js'
import { MissingRealPart } from '../support/real-part.js'

export type ImageFormat = 'raw' | 'qcow2'

/** One side of a pair: its QEMU, its records, and the guest's devices in their order. */
export interface QemuSide {
  qemu: Qemu
  disks: ResolvedDisk[]
  devices: string[]
}

/** Two QEMUs with equal empty disks, ready to be a COLO pair; they and the images are gone when the test is. */
export interface QemuPair {
  primary: QemuSide
  secondary: QemuSide
  /** The disks, by their exports' names. */
  names: string[]
  /** Where the secondary listens. */
  host: string
  port: number
  /** What outlives the QEMUs. */
  records: RecordStore
  /** A new QEMU over a side's disks: a secondary with new overlays, or with those that it had, or a primary. */
  restart(side: QemuSide, as: 'secondary' | 'same secondary' | 'primary'): Promise<QemuSide>
  /** Empty overlays for each disk. */
  overlays(): Map<string, OverlayFiles>
  directory: string
  /** With `monitors`: the socket of a second monitor of a QEMU, in `directory`, is called `qmp-` and this. */
  monitorOf(qemu: Qemu): number
  /** What all of its QEMUs have printed. */
  printed(): string
}

export interface PairSettings {
  primary?: SideSettings
  secondary?: SideSettings
  /** Whether each QEMU has a second monitor, at a socket. */
  monitors?: boolean
  /** Bytes of each disk: 1 MiB by default. */
  size?: number
}

/** Where the images of a side are, and what its QEMU gets besides. */
export interface SideSettings {
  /** A folder on a small file system, say. */
  disk?: string
  active?: string
  hidden?: string
  args?: readonly string[]
  binary?: QemuBinary
}

export async function qemuPair(
  t: Test,
  form: Form,
  vdevs: readonly string[],
  format: ImageFormat,
  settings: PairSettings = {},
): Promise<QemuPair> {
  const images = diskImages(settings.size)
  t.teardown(() => images[Symbol.dispose]())
  // the machine's other tests have other loopback addresses
  const host = [127, randomInt(1, 255), randomInt(256), randomInt(1, 255)].join('.')
  const disk = (vdev: string) => coloDisk(`${vdev},colo-host=${host}`, format, images)
  const side = (coloRestore: boolean, { args = [], binary, ...folders }: SideSettings = {}) => {
    const disks = vdevs.map(vdev => elsewhere(disk(vdev), folders))
    return start(disks, coloRestore, args, binary)
  }
  const monitors: Qemu[] = []
  const start = async (
    disks: ResolvedDisk[],
    coloRestore: boolean,
    args: readonly string[] = [],
    binary?: QemuBinary,
  ) => {
    const path = join(images.directory, `qmp-${monitors.length}`)
    const monitor = settings.monitors ? ['-qmp', `unix:${path},server=on,wait=off`] : []
    const side = await startSide(t, form, disks, coloRestore, { args: [...monitor, ...args], binary })
    monitors.push(side.qemu)
    return side
  }
  const [primary, secondary] = [await side(false, settings.primary), await side(true, settings.secondary)]
  const names = primary.disks.map(({ coloExport }) => coloExport!)
  const overlay = (name: string) => images.image(name, 'qcow2')
  const newOverlays = () => ({ activeDisk: overlay('active.qcow2'), hiddenDisk: overlay('hidden.qcow2') })
  const restart: QemuPair['restart'] = ({ disks }, as) => {
    const its = as === 'secondary' ? disks.map(disk => ({ ...disk, ...newOverlays() })) : disks
    return start(its, as !== 'primary')
  }
  const overlays = () =>
    new Map(names.map(name => [name, { active: overlay('active.qcow2'), hidden: overlay('hidden.qcow2') }]))
  const records = recordFolder(join(images.directory, 'records'))
  const monitorOf = (qemu: Qemu) => monitors.indexOf(qemu)
  const printed = () => monitors.map(qemu => qemu.printed()).join('\n')
  const { directory } = images
  return { primary, secondary, names, host, port: 9000, records, restart, overlays, directory, monitorOf, printed }
}

/** What protects these two sides of a pair. */
export function pairOptions(
  { names, host, port, records }: QemuPair,
  primary: QemuSide,
  secondary: QemuSide,
  epoch: number,
): PairOptions {
  const side = ({ qemu }: QemuSide) => ({ qmp: qemu.client, records })
  return {
    primary: side(primary),
    secondary: side(secondary),
    disks: names,
    host,
    port: port + epoch,
    epoch,
    readExtents: dirtyExtents,
    timeout: 5000,
  }
}

function coloDisk(vdev: string, format: ImageFormat, images: DiskImages): ResolvedDisk {
  const spec = [
    `format=${format},vdev=${vdev},colo,colo-port=9000,colo-export=colo-${vdev.slice(0, 3)}`,
    `active-disk=${images.image('active.qcow2', 'qcow2')},hidden-disk=${images.image('hidden.qcow2', 'qcow2')}`,
    `target=${images.image('disk.img', format)}`,
  ]
  const domidOf = () => undefined
  return resolveDisk(parseDisk(spec.join(',')), { domid: 11, domainType: 'hvm', target: 'file', domidOf })
}

/** The same disk, with some of its images moved to other folders. */
function elsewhere(
  disk: ResolvedDisk,
  { disk: base, active, hidden }: Pick<SideSettings, 'disk' | 'active' | 'hidden'>,
): ResolvedDisk {
  const moved = (path: string | undefined, folder: string | undefined) => {
    if (folder === undefined || path === undefined) return path
    const target = join(folder, `${disk.vdev}-${basename(path)}`)
    execFileSync('cp', ['--sparse=always', path, target])
    return target
  }
  return {
    ...disk,
    pdevPath: moved(disk.pdevPath, base),
    activeDisk: moved(disk.activeDisk, active),
    hiddenDisk: moved(disk.hiddenDisk, hidden),
  }
}

/** A file system with room for so many bytes. @throws MissingRealPart where this process may mount none */
export function smallFileSystem(t: Test, size: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'small-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'small', folder], { stdio: 'ignore' })
  } catch {
    rmdirSync(folder)
    throw new MissingRealPart('the right to mount a file system (root)', 'mount')
  }
  t.teardown(() => {
    execFileSync('umount', ['--lazy', folder])
    rmdirSync(folder)
  })
  return folder
}

async function startSide(
  t: Test,
  form: Form,
  disks: ResolvedDisk[],
  coloRestore: boolean,
  { args: more, binary }: { args: readonly string[]; binary: QemuBinary | undefined },
): Promise<QemuSide> {
  const { args } = form.build({ disks, options: { domainType: 'hvm', coloRestore } })
  const { qemu, refusal } = await startQemu([...more, ...args], binary === undefined ? {} : { binary })
  if (qemu === undefined) throw new Error(refusal)
  t.teardown(qemu.stop)
  const drives = await qemu.qmp<{ qdev?: string }[]>('query-block')
  return { qemu, disks, devices: drives.flatMap(({ qdev }) => qdev ?? []) }
}

/** Does on each of a side's disks what a guest would: `write -P 1 0 64k` fills. */
export async function onEach({ qemu, devices }: QemuSide, command: (disk: number) => string): Promise<void> {
  for (const [index, device] of devices.entries()) await guestIo(qemu, device, command(index))
}

/** What a side's disk holds, of an image that no QEMU has open any more. */
export function contents({ pdevPath, format }: ResolvedDisk): Buffer {
  if (format === 'raw') return readFileSync(pdevPath!)
  const raw = join(`${pdevPath}.raw`)
  execFileSync('qemu-img', ['convert', '-f', format, '-O', 'raw', pdevPath!, raw])
  return readFileSync(raw)
}

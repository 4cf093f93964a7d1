import { mkdirSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { buildBlockdevArgs, buildDiskArgs, type DiskArgs, type DiskArgsOptions } from 'xenlight/dm-args'
import { type Qemu, startQemu } from '../real/qemu.js'
import { type DiskImages, diskImages } from '../support/disk-images.js'

export type Options = Partial<DiskArgsOptions>

/** A disk of an HVM guest, from an xl disk spec. */
export const disk = (spec: string, change: Partial<ResolvedDisk> = {}): ResolvedDisk => {
  const context = { domid: 1, domainType: 'hvm', target: 'file', domidOf: () => undefined, create: true } as const
  return { ...resolveDisk(parseDisk(`backendtype=qdisk,${spec}`), context), ...change }
}

/** libxl's arguments, and ours in both forms. */
export const exact = (disks: readonly ResolvedDisk[], options: Options = {}): DiskArgs =>
  buildDiskArgs(disks, { domainType: 'hvm', ...options, libxlExact: true })
export const drives = (disks: readonly ResolvedDisk[], options: Options = {}): DiskArgs =>
  buildDiskArgs(disks, { domainType: 'hvm', ...options })
export const blockdevs = (disks: readonly ResolvedDisk[], options: Options = {}): DiskArgs =>
  buildBlockdevArgs(disks, { domainType: 'hvm', ...options })
export const forms = { drives, blockdevs }

/** Both forms refuse, for the same reason. */
export function refuses(t: Test, disks: readonly ResolvedDisk[], options: Options, message: RegExp): void {
  for (const [name, build] of Object.entries(forms))
    t.throws(() => build(disks, options), { name: 'LibxlError', rc: -6, message }, `${name}: ${message}`)
}

/** Images, and QEMUs that have them. */
export interface Lab extends Disposable {
  readonly directory: string
  readonly images: DiskImages
  /** A raw image of exactly this name; a relative one is in the directory, in which QEMU runs. */
  file(name: string): string
  /** Does something with a QEMU that must start. */
  qemu<T>(args: readonly string[], use: (qemu: Qemu) => Promise<T>, inherited?: readonly number[]): Promise<T>
  /** What a QEMU says that must not start. */
  refusal(args: readonly string[]): Promise<string>
}

export function openLab(): Lab {
  const images = diskImages()
  const { directory } = images
  images.image('first', 'qcow2')
  return {
    directory,
    images,
    file(name) {
      const path = name.startsWith('/') ? name : join(directory, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, '')
      truncateSync(path, 1_048_576)
      return path
    },
    async qemu(args, use, inherited = []) {
      const { qemu, refusal } = await startQemu(args, { cwd: directory, inherited })
      if (qemu === undefined) throw new Error(refusal)
      await using _ = qemu
      return await use(qemu)
    },
    async refusal(args) {
      const { qemu, refusal } = await startQemu(args, { cwd: directory })
      await qemu?.stop()
      return refusal ?? 'it has started'
    },
    [Symbol.dispose]: () => images[Symbol.dispose](),
  }
}

/** A COLO disk with all that it needs. */
export function coloDisk(lab: Lab, vdev: string, change: Partial<ResolvedDisk> = {}): ResolvedDisk {
  return disk(`vdev=${vdev},target=/`, {
    pdevPath: lab.images.image('disk', 'raw'),
    activeDisk: lab.images.image('active', 'qcow2'),
    hiddenDisk: lab.images.image('hidden', 'qcow2'),
    ...{ coloEnable: true, coloHost: '127.0.0.1', coloPort: 9000, coloExport: `e-${vdev}` },
    ...change,
  })
}

/** The guest writes its first sector. */
export async function guestWrites(qemu: Qemu, drive: string): Promise<void> {
  await qemu.monitor(`qemu-io ${drive} "write -P 0x61 0 512"`)
}

export const isWritten = (path: string): boolean => readFileSync(path)[0] === 0x61

/** A secondary's QEMU exports a disk to the primary. @throws QmpError where it has no such disk */
export async function exportDisk(qemu: Qemu, lab: Lab, device: string): Promise<void> {
  const socket = join(lab.directory, `${qemu.pid}.sock`)
  await qemu.qmp('nbd-server-start', { addr: { type: 'unix', data: { path: socket } } })
  await qemu.qmp('nbd-server-add', { device, writable: true })
}

/** A file open for reading and writing, and one for reading, as one set of descriptors. */
export const handOver = (path: string) => ({
  inherited: [openSync(path, 'r+'), openSync(path, 'r')],
  args: ['-add-fd', 'fd=4,set=0', '-add-fd', 'fd=5,set=0'],
})

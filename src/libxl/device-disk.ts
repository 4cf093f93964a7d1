import * as z from 'zod'
import { diskBackends, diskFormats, diskSpecifications, diskTransports } from './disk-words.js'

const maxInt = 0x7fffffff
const maxUint32 = 0xffffffff

/** A C string that may be NULL (absent); it has no NUL character. */
const text = (description: string) =>
  z
    .string()
    // not \0, which other languages read as the beginning of an octal number
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no C string holds a NUL
    .regex(/^[^\u0000]*$/u)
    .optional()
    .describe(description)
const flag = (description: string) => z.boolean().describe(description)
/** A libxl_defbool: absent while libxl is to decide. */
const defbool = (description: string) => z.boolean().optional().describe(description)
const uint32 = (description: string) => z.int().min(0).max(maxUint32).describe(description)

/** How an image is encoded (`libxl_disk_format`). `unknown` until a spec or a default decides; `empty` is a drive without a medium. */
export const DiskFormat = z.enum(diskFormats).describe('libxl_disk_format: how the image is encoded')
export type DiskFormat = z.infer<typeof DiskFormat>

/** Who serves the disk to the guest (`libxl_disk_backend`). `unknown` lets libxl choose. */
export const DiskBackend = z.enum(diskBackends).describe('libxl_disk_backend: who serves the disk to the guest')
export type DiskBackend = z.infer<typeof DiskBackend>

/** The protocol family that the guest sees (`libxl_disk_specification`). */
export const DiskSpecification = z
  .enum(diskSpecifications)
  .describe('libxl_disk_specification: the protocol family that the guest sees')
export type DiskSpecification = z.infer<typeof DiskSpecification>

/** How a virtio disk is reached (`libxl_disk_transport`). */
export const DiskTransport = z.enum(diskTransports).describe('libxl_disk_transport: how a virtio disk is reached')
export type DiskTransport = z.infer<typeof DiskTransport>

/**
 * One disk of a domain: `libxl_device_disk` of Xen's libxl_types.idl, field for field and in its order.
 * A string that libxl holds as NULL and a defbool at "default" are absent; an empty string is a value of its own.
 */
export const DeviceDisk = z
  .object({
    backendDomid: uint32('Domain that serves the disk; 0 is the host. Overruled by backendDomname.'),
    backendDomname: text('Name of the domain that serves the disk, or its number in decimal (xl: backend=).'),
    pdevPath: text('What the disk is made of: a path, or what the script or QEMU makes of the text (xl: target=).'),
    vdev: text('Name of the disk in the guest, such as xvda, hdc or sdb1 (xl: vdev=).'),
    backend: DiskBackend,
    format: DiskFormat,
    script: text('Hotplug script that makes a block device of the target; relative to /etc/xen/scripts (xl: script=).'),
    removable: flag('The guest may see the medium go.'),
    readwrite: flag('The guest may write (xl: access=rw).'),
    isCdrom: flag('A CD drive, always read-only (xl: devtype=cdrom).'),
    directIoSafe: flag('Memory of the guest may be used for direct I/O (xl: direct-io-safe).'),
    discardEnable: defbool('The guest may discard blocks; default: as readwrite (xl: discard).'),
    specification: DiskSpecification,
    transport: DiskTransport,
    irq: uint32("Interrupt of a virtio-mmio device; libxl's own, 0 until assigned."),
    base: z
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .describe("Guest-physical address of a virtio-mmio device in bytes; libxl's own, 0 until assigned."),
    coloEnable: defbool('The disk is replicated by COLO; default: no (xl: colo).'),
    coloRestoreEnable: defbool("This is COLO's secondary side; default: no. Set by libxl on restore."),
    coloHost: text("Address at which the secondary's NBD server listens (xl: colo-host=)."),
    coloPort: z
      .int()
      .min(-maxInt - 1)
      .max(maxInt)
      .describe("TCP port of the secondary's NBD server: 1 to 65535, though libxl takes any C int (xl: colo-port=)."),
    coloExport: text('Name under which the secondary exports the disk (xl: colo-export=).'),
    activeDisk: text("Path of the qcow2 image for the secondary's own writes (xl: active-disk=)."),
    hiddenDisk: text("Path of the qcow2 image that keeps what the primary's writes replace (xl: hidden-disk=)."),
    trusted: defbool('The guest may trust the backend; default: yes (xl: trusted, untrusted).'),
    grantUsage: defbool(
      'The backend maps memory by grants; default: if it is not in domain 0 (xl: grant_usage=). Virtio only.',
    ),
  })
  .meta({
    $id: 'urn:xenlight:device-disk',
    title: 'DeviceDisk',
    description: 'One disk of a Xen domain: libxl_device_disk of libxl_types.idl',
  })
export type DeviceDisk = z.infer<typeof DeviceDisk>

import * as z from 'zod'

const absent = <T extends z.ZodType>(schema: T) => schema.optional()

/** How an image is encoded (`libxl_disk_format`). `unknown` until a spec or a default decides. */
export const DiskFormat = z.enum(['unknown', 'qcow', 'qcow2', 'vhd', 'raw', 'empty', 'qed'])
export type DiskFormat = z.infer<typeof DiskFormat>

/** Who serves the disk to the guest (`libxl_disk_backend`). */
export const DiskBackend = z.enum(['unknown', 'phy', 'tap', 'qdisk', 'standalone'])
export type DiskBackend = z.infer<typeof DiskBackend>

/** The protocol family the guest sees (`libxl_disk_specification`). */
export const DiskSpecification = z.enum(['unknown', 'xen', 'virtio'])
export type DiskSpecification = z.infer<typeof DiskSpecification>

/** How a virtio disk is reached (`libxl_disk_transport`). */
export const DiskTransport = z.enum(['unknown', 'mmio'])
export type DiskTransport = z.infer<typeof DiskTransport>

/**
 * One disk of a domain: `libxl_device_disk` of Xen's libxl_types.idl, field for field.
 * A string that libxl holds as NULL and a defbool at "default" are absent; an empty string is a value of its own.
 */
export const DeviceDisk = z.object({
  backendDomid: z.int().min(0).max(0xffffffff),
  backendDomname: absent(z.string()),
  pdevPath: absent(z.string()),
  vdev: absent(z.string()),
  backend: DiskBackend,
  format: DiskFormat,
  script: absent(z.string()),
  removable: z.boolean(),
  readwrite: z.boolean(),
  isCdrom: z.boolean(),
  directIoSafe: z.boolean(),
  discardEnable: absent(z.boolean()),
  specification: DiskSpecification,
  transport: DiskTransport,
  irq: z.int().min(0).max(0xffffffff),
  base: z.int().min(0),
  coloEnable: absent(z.boolean()),
  coloRestoreEnable: absent(z.boolean()),
  coloHost: absent(z.string()),
  coloPort: z.int().min(-0x80000000).max(0x7fffffff),
  coloExport: absent(z.string()),
  activeDisk: absent(z.string()),
  hiddenDisk: absent(z.string()),
  trusted: absent(z.boolean()),
  grantUsage: absent(z.boolean()),
})
export type DeviceDisk = z.infer<typeof DeviceDisk>

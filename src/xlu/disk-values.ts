import type { DiskBackend, DiskFormat, DiskSpecification } from '../libxl/device-disk.js'

// Switches, as a look-up by a string fresh from the text costs its hash.

/** A format by the word of a spec; an empty one is raw. */
export function formatOf(value: string): DiskFormat | undefined {
  switch (value) {
    case '':
    case 'raw':
      return 'raw'
    case 'qcow2':
    case 'qcow':
    case 'vhd':
    case 'empty':
    case 'qed':
      return value
  }
  return undefined
}

export function backendOf(value: string): DiskBackend | undefined {
  switch (value) {
    case 'phy':
    case 'tap':
    case 'qdisk':
    case 'standalone':
      return value
  }
  return undefined
}

export const specificationOf = (value: string): DiskSpecification | undefined =>
  value === 'xen' || value === 'virtio' ? value : undefined

/** Whether it may be written, by the word for its access. */
export function writableOf(value: string): boolean | undefined {
  if (value === 'rw' || value === 'w' || value === '') return true
  return value === 'r' || value === 'ro' ? false : undefined
}

/** Whether it is a cdrom, by its devtype. */
export function cdromOf(value: string): boolean | undefined {
  if (value === 'cdrom') return true
  return value === 'disk' ? false : undefined
}

import { LibxlError } from '../libxl/libxl-error.js'
import type { ResolvedDisk } from '../libxl/resolved-disk.js'

/** libxl's refusal of a hard disk that the guest may not write: QEMU has such only on SCSI. */
export function refuseReadOnly({ readwrite }: ResolvedDisk, bus: 'IDE' | 'AHCI'): void {
  if (!readwrite) throw new LibxlError('read-only', `qemu-xen doesn't support read-only ${bus} disk drivers`)
}
